//! The router's selection, weights and balancing.

use super::*;
use crate::context::Tokens;
use crate::init::Init;
use burn::tensor::{Device, Distribution, TensorData};

fn decoder() -> DecoderConfig {
    serde_json::from_str(
        r#"{"vocab_size": 9, "d_model": 16, "n_layers": 1, "n_heads": 2, "d_ff": 24, "seq_len": 8}"#,
    )
    .unwrap()
}

fn build(options: &str) -> DeepseekMoe {
    let json = format!(r#"{{"n_experts": 6, "d_ff": 8{options}}}"#);
    let config: DeepseekMoeConfig = serde_json::from_str(&json).unwrap();
    config.build(&mut Builder::new(&decoder(), 3, &Device::flex()))
}

fn x() -> Tensor<3> {
    let data = Init::TruncatedNormal(1.0).draw(5, "x", [2, 7, 16]);
    Tensor::from_data(data, &Device::flex())
}

fn output(moe: &DeepseekMoe) -> Vec<f32> {
    let tokens = Tokens::whole(Tensor::zeros([2, 7], &Device::flex()));
    let mut pass = Pass::evaluation();
    let y = moe.forward(x(), &mut Context::new(&tokens, &mut pass));
    y.into_data().iter::<f32>().collect()
}

fn loads(assignments: &Assignments) -> Vec<i64> {
    assignments.loads().into_data().iter().collect()
}

fn counts(counts: Vec<i64>) -> Tensor<1, Int> {
    let len = counts.len();
    Tensor::from_data(TensorData::new(counts, [len]), &Device::flex())
}

fn close(a: &[f32], b: &[f32]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-5)
}

#[test]
fn an_equal_bias_of_all_experts_changes_nothing() {
    let moe = build(r#", "top_k": 2"#);
    let expected = output(&moe);
    for bias in [0.25, -5.0] {
        moe.bias.set_values(vec![bias; 6]);
        assert!(close(&output(&moe), &expected));
    }
}

#[test]
fn a_bias_selects_without_entering_the_weights() {
    let moe = build(r#", "top_k": 1, "n_shared": 0, "normalise_weights": false"#);
    let mut bias = vec![0.0; 6];
    bias[4] = 9.0;
    moe.bias.set_values(bias);
    let affinities = Tensor::<2>::random([5, 6], Distribution::Uniform(0.1, 0.9), &Device::flex());
    let (assignments, weights) = moe.select(affinities.clone(), &mut Pass::evaluation());
    assert_eq!(loads(&assignments), [0, 0, 0, 0, 5, 0]);
    let expected = affinities.narrow(1, 4, 1).into_data();
    assert_eq!(
        weights.into_data().iter::<f32>().collect::<Vec<_>>(),
        expected.iter::<f32>().collect::<Vec<_>>()
    );
}

#[test]
fn normalised_weights_sum_to_the_route_scale() {
    let moe = build(r#", "top_k": 3, "route_scale": 2.5"#);
    let affinities = Tensor::<2>::random([5, 6], Distribution::Uniform(0.1, 0.9), &Device::flex());
    let (_, weights) = moe.select(affinities, &mut Pass::evaluation());
    for sum in weights.reshape([5, 3]).sum_dim(1).into_data().iter::<f32>() {
        assert!((sum - 2.5).abs() < 1e-5);
    }
}

#[test]
fn with_all_experts_selected_the_bias_has_no_effect() {
    let moe = build(r#", "top_k": 6"#);
    let expected = output(&moe);
    moe.bias.set_values(vec![1.0, -2.0, 3.0, 0.5, 0.0, -1.0]);
    assert!(close(&output(&moe), &expected));
}

#[test]
fn the_output_is_the_sum_over_separately_evaluated_experts() {
    let moe = build(r#", "top_k": 2, "n_shared": 2"#);
    let hidden = x().reshape([14, 16]);
    let affinities = activation::sigmoid(moe.router.forward(hidden.clone()));
    let (assignments, weights) = moe.select(affinities, &mut Pass::evaluation());
    let weights: Vec<f32> = weights.into_data().iter().collect();
    let mut expected = moe.shared.as_ref().unwrap().apply(hidden.clone());
    let pairs: Vec<i64> = assignments.pairs().into_data().iter().collect();
    for (pair, weight) in pairs.into_iter().zip(weights) {
        // One assignment, evaluated on its own.
        let only = Assignments::new(counts(vec![pair]), [14, 6]);
        let one = Tensor::<1>::from_floats([weight], &Device::flex());
        expected = expected + moe.experts.apply(hidden.clone(), one, &only);
    }
    let expected: Vec<f32> = expected.into_data().iter().collect();
    assert!(close(&output(&moe), &expected));
}

#[test]
fn the_bias_rises_for_underloaded_experts_and_balances_a_skewed_router() {
    let moe = build(r#", "top_k": 1, "bias_rate": 0.01"#);
    let mut statistics = Statistics::default();
    statistics.add(&moe.bias, counts(vec![4, 2, 3, 3, 3, 3]));
    moe.update_buffers(&statistics, &[]);
    assert_eq!(moe.bias.values(), [-0.01, 0.01, 0.0, 0.0, 0.0, 0.0]);
    // A mean of 17/6.
    let mut statistics = Statistics::default();
    statistics.add(&moe.bias, counts(vec![4, 2, 3, 3, 3, 2]));
    moe.update_buffers(&statistics, &[]);
    assert!(close(
        &moe.bias.values(),
        &[-0.02, 0.02, -0.01, -0.01, -0.01, 0.01]
    ));
    moe.bias.set_values(vec![0.0; 6]);

    // Affinities in favour of expert 0 by 0.2.
    let random = Tensor::<2>::random([600, 6], Distribution::Uniform(0.3, 0.7), &Device::flex());
    let skew = Tensor::<2>::from_floats([[0.2, 0.0, 0.0, 0.0, 0.0, 0.0]], &Device::flex());
    let affinities = random + skew;
    let most = |moe: &DeepseekMoe| {
        let (assignments, _) = moe.select(affinities.clone(), &mut Pass::evaluation());
        *loads(&assignments).iter().max().unwrap()
    };
    assert!(most(&moe) > 250, "{}", most(&moe));
    for _ in 0..60 {
        let loads = moe
            .select(affinities.clone(), &mut Pass::evaluation())
            .0
            .loads();
        let mut statistics = Statistics::default();
        statistics.add(&moe.bias, loads);
        moe.update_buffers(&statistics, &[]);
    }
    assert!(most(&moe) < 150, "{}", most(&moe));
}

#[test]
fn the_bias_is_updated_in_training_only() {
    let moe = build(r#", "top_k": 2"#);
    let tokens = Tokens::whole(Tensor::zeros([2, 7], &Device::flex()));
    let mut evaluation = Pass::evaluation();
    moe.forward(x(), &mut Context::new(&tokens, &mut evaluation));
    moe.update_buffers(&evaluation.take_statistics(), &[]);
    assert_eq!(moe.bias.values(), [0.0; 6]);
    let mut training = Pass::training();
    moe.forward(x(), &mut Context::new(&tokens, &mut training));
    moe.update_buffers(&training.take_statistics(), &[]);
    assert!(moe.bias.values().iter().any(|bias| *bias != 0.0));
}

#[test]
fn the_balance_loss_is_one_at_balance() {
    let affinities = Tensor::<2>::ones([6, 6], &Device::flex());
    // Each of six tokens selects another expert.
    let selection = affinities.clone() + Tensor::<2>::eye(6, &Device::flex());
    let assignments = routing::token_choice(&selection, 1);
    let loss = balance_loss(&assignments, affinities, [1, 6]);
    assert!((loss.into_scalar::<f32>() - 1.0).abs() < 1e-6);
}
