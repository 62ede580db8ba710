//! Properties of every block: its parameters are as counted, its gradients are correct, it is causal, it learns.

mod models;

use architectures::{Decoder, LazyAdam, NumericFormat, Pass, host_copy, loss};
use burn::module::Module;
use burn::optim::{AdamWConfig, GradientsParams};
use burn::tensor::{Device, Int, Tensor, TensorData};
use models::{VOCAB, every_model};

fn tokens(batch: usize, seq: usize, device: &Device) -> Tensor<2, Int> {
    let values: Vec<i64> = (0..batch * seq)
        .map(|i| ((i * 7 + i * i * 3 + 5) % VOCAB) as i64)
        .collect();
    Tensor::from_data(TensorData::new(values, [batch, seq]), device)
}

#[test]
fn parameters_are_as_counted() {
    for (name, config) in every_model() {
        let decoder = Decoder::new(&config, 0, &Device::flex()).unwrap();
        let cost = config.cost().unwrap();
        assert_eq!(
            decoder.num_params() as u64,
            cost.params_dense,
            "{name}: dense parameters, built and counted"
        );
        let tables = decoder.tables();
        let held: usize = tables
            .iter()
            .map(|table| table.rows() * table.width())
            .sum();
        assert_eq!(
            held as u64, cost.params_table,
            "{name}: parameters of Block::tables and of Architecture::tables"
        );
        assert!(cost.params_active <= cost.params(), "{name}");
    }
}

#[test]
fn changing_a_token_never_changes_logits_before_it() {
    let device = Device::flex();
    for (name, config) in every_model() {
        let decoder = Decoder::new(&config, 1, &device).unwrap();
        let before = tokens(2, 8, &device);
        let changed = 5;
        let mut values: Vec<i64> = before.clone().into_data().iter::<i64>().collect();
        values[changed] = (values[changed] + 1) % VOCAB as i64;
        let after = Tensor::from_data(TensorData::new(values, [2, 8]), &device);
        let logits = |tokens| decoder.forward(tokens, &mut Pass::evaluation());
        let difference = (logits(before) - logits(after))
            .abs()
            .max_dim(2)
            .reshape([16])
            .into_data();
        let difference: Vec<f32> = difference.iter::<f32>().collect();
        assert!(
            difference[..changed].iter().all(|&d| d == 0.0),
            "{name} sees ahead: {difference:?}"
        );
        assert!(difference[changed] > 0.0, "{name} ignores its input");
        assert!(
            difference[8..].iter().all(|&d| d == 0.0),
            "{name} mixes sequences: {difference:?}"
        );
    }
}

#[test]
fn a_cache_gives_the_same_logits() {
    let device = Device::flex();
    for (name, config) in every_model() {
        let decoder = Decoder::new(&config, 2, &device).unwrap();
        let tokens = tokens(3, 7, &device);
        let whole = decoder.forward(tokens.clone(), &mut Pass::evaluation());
        let mut cache = decoder.cache();
        let first = decoder.extend(tokens.clone().narrow(1, 0, 4), &mut cache);
        let mut parts = vec![first];
        for position in 4..7 {
            parts.push(decoder.extend(tokens.clone().narrow(1, position, 1), &mut cache));
        }
        let difference: f32 = (whole - Tensor::cat(parts, 1)).abs().max().into_scalar();
        assert!(
            difference < 1e-4,
            "{name}: cached logits differ by {difference}"
        );
    }
}

#[test]
fn selected_sequences_of_a_cache_go_on_as_their_own() {
    let device = Device::flex();
    for (name, config) in every_model() {
        let decoder = Decoder::new(&config, 2, &device).unwrap();
        let tokens = tokens(3, 7, &device);
        let whole = decoder.forward(tokens.clone(), &mut Pass::evaluation());
        let mut cache = decoder.cache();
        let last = decoder.extend_to_last(tokens.clone().narrow(1, 0, 5), &mut cache);
        let at_last: f32 = (whole.clone().narrow(1, 4, 1).squeeze_dim::<2>(1) - last)
            .abs()
            .max()
            .into_scalar();
        let mut chosen = cache.select(&[2, 0, 2]);
        let places = Tensor::from_data(TensorData::new(vec![2i64, 0, 2], [3]), &device);
        let rest = tokens.narrow(1, 5, 2).select(0, places.clone());
        let expected = whole.narrow(1, 5, 2).select(0, places);
        let rest = decoder.extend(rest, &mut chosen);
        let difference: f32 = (expected - rest).abs().max().into_scalar();
        assert!(
            difference < 1e-4 && at_last < 1e-4,
            "{name}: logits differ by {difference} and {at_last}"
        );
    }
}

#[test]
fn a_cache_gives_the_same_logits_at_long_positions() {
    let device = Device::flex();
    const LEN: usize = 1500;
    for (name, config) in every_model() {
        let decoder = Decoder::new(&config, 2, &device).unwrap();
        let tokens = tokens(1, LEN, &device);
        let whole = decoder.forward(tokens.clone(), &mut Pass::evaluation());
        let mut cache = decoder.cache();
        decoder.extend(tokens.clone().narrow(1, 0, LEN - 2), &mut cache);
        for position in [LEN - 2, LEN - 1] {
            let token = tokens.clone().narrow(1, position, 1);
            let last = decoder.extend(token, &mut cache);
            let expected = whole.clone().narrow(1, position, 1);
            let difference: f32 = (expected - last).abs().max().into_scalar();
            assert!(
                difference < 1e-4,
                "{name}: cached logits at {position} differ by {difference}"
            );
        }
    }
}

#[test]
fn construction_order_and_other_models_change_nothing() {
    let device = Device::flex();
    let logits = |decoder: &Decoder| -> Vec<f32> {
        decoder
            .forward(tokens(1, 4, &device), &mut Pass::evaluation())
            .into_data()
            .iter::<f32>()
            .collect()
    };
    for (name, config) in every_model() {
        let first = Decoder::new(&config, 3, &device).unwrap();
        let expected = logits(&first);
        let second = Decoder::new(&config, 3, &device).unwrap();
        for table in second.tables() {
            table.set_values(table.values() * 0.5);
        }
        assert_eq!(logits(&first), expected, "{name}: two models share a table");
        let other = Decoder::new(&config, 4, &device).unwrap();
        assert_ne!(logits(&other), expected, "{name} ignores its seed");
    }
}

#[test]
fn every_block_overfits_one_batch() {
    let device = Device::flex().autodiff();
    let optimizer = LazyAdam {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        max_norm: Some(1.0),
        moments: NumericFormat::F32,
    };
    for (name, config) in every_model() {
        let mut decoder = Decoder::new(&config, 5, &device).unwrap();
        let mut adam = AdamWConfig::new().with_epsilon(1e-8).init();
        let (inputs, targets) = (tokens(4, 8, &device), tokens(4, 9, &device).narrow(1, 1, 8));
        let mut last = f32::INFINITY;
        for _ in 0..150 {
            let mut pass = Pass::training();
            let nll =
                loss::cross_entropy(decoder.forward(inputs.clone(), &mut pass), targets.clone());
            last = nll.clone().into_scalar();
            let total = match pass.auxiliary_loss() {
                Some(auxiliary) => nll + auxiliary,
                None => nll,
            };
            let gradients = total.backward();
            let tables = pass.into_table_gradients(&gradients);
            decoder = adam.step(
                1e-2,
                decoder.clone(),
                GradientsParams::from_grads(gradients, &decoder),
            );
            for (table, parts) in tables {
                let norm = host_copy::number(table.update(parts, &optimizer, 1e-2));
                assert!(norm.is_finite(), "{name}");
            }
        }
        assert!(last < 0.1, "{name} stays at {last}");
    }
}
