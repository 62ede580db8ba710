use super::*;
use architectures::{HasBuffers, ModelConfig};
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor};

fn in_parts(accumulate: usize, micro_batches: usize) -> Division {
    Division {
        accumulate,
        micro_batches,
        ..Division::WHOLE
    }
}

/// Loss and dense gradients of a batch, and the output gradients of its table lookups.
fn numbers(threads: usize, [accumulate, micro_batches]: [usize; 2]) -> [Vec<f32>; 2] {
    let config: ModelConfig = serde_json::from_str(
        r#"{"decoder": {"vocab_size": 30, "d_model": 16, "n_layers": 3, "n_heads": 2, "seq_len": 16},
            "blocks": [{"block": {"kind": "memory", "keys": {"n_keys": 6, "top_k": 4}, "gate": true,
                                  "shared_values": true},
                        "placement": "all"}]}"#,
    )
    .unwrap();
    let device = Device::flex().autodiff();
    let decoder = Decoder::new(&config, 0, &device).unwrap();
    let tokens: Vec<i64> = (0..4 * 17).map(|i| i * i % 30).collect();
    let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &device).reshape([4, 17]);
    let batch = (
        tokens.clone().narrow(1, 0, 16).into(),
        tokens.narrow(1, 1, 16),
    );
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .unwrap();
    let batch_gradients =
        pool.install(|| backward(&decoder, batch, in_parts(accumulate, micro_batches)));
    let mut all = GradientValues {
        gradients: &batch_gradients.parameters.dense,
        values: vec![batch_gradients.losses.on_host()[0] as f32],
    };
    decoder.visit(&mut all);
    let lookups = batch_gradients
        .parameters
        .tables
        .iter()
        .flat_map(|(_, parts)| parts);
    let rows = lookups.flat_map(|part| {
        part.rows
            .clone()
            .into_data()
            .iter::<f32>()
            .collect::<Vec<_>>()
    });
    [all.values, rows.collect()]
}

struct GradientValues<'a> {
    gradients: &'a GradientsParams,
    values: Vec<f32>,
}

impl ModuleVisitor for GradientValues<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = self.gradients.get::<D>(param.id).unwrap();
        self.values.extend(gradient.into_data().iter::<f32>());
    }
}

#[test]
fn gradients_do_not_depend_on_the_number_of_threads() {
    assert_eq!(numbers(1, [1, 2]), numbers(2, [1, 2]));
    assert_eq!(numbers(1, [1, 1]), numbers(3, [1, 1]));
}

#[test]
fn buffers_are_updated_once_from_all_parts() {
    let config: ModelConfig = serde_json::from_str(
        r#"{"decoder": {"vocab_size": 30, "d_model": 16, "n_layers": 2, "n_heads": 2, "seq_len": 16},
            "blocks": [{"block": {"kind": "deepseek_moe", "n_experts": 5, "top_k": 2, "d_ff": 8},
                        "placement": "all"}]}"#,
    )
    .unwrap();
    let device = Device::flex().autodiff();
    let tokens: Vec<i64> = (0..4 * 17).map(|i| i * i % 30).collect();
    let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &device).reshape([4, 17]);
    let batch = (
        tokens.clone().narrow(1, 0, 16).into(),
        tokens.narrow(1, 1, 16),
    );
    let biases = |micro_batches: usize| {
        let decoder = Decoder::new(&config, 0, &device).unwrap();
        for _ in 0..3 {
            let gradients = backward(&decoder, batch.clone(), in_parts(1, micro_batches));
            decoder.update_buffers(&gradients.parameters.statistics);
        }
        let buffers = decoder.buffers().into_iter();
        buffers
            .flat_map(|buffer| buffer.values())
            .collect::<Vec<f32>>()
    };
    let whole = biases(1);
    assert!(whole.iter().any(|bias| *bias != 0.0));
    for _ in 0..3 {
        assert_eq!(biases(2), whole);
        assert_eq!(biases(4), whole);
    }
}

#[test]
fn micro_batches_average_to_the_gradients_of_the_batch() {
    // Dense gradients only: the order of lookups depends on the number of micro-batches.
    let ([whole, _], [parts, _]) = (numbers(2, [1, 1]), numbers(2, [1, 4]));
    assert_eq!(whole.len(), parts.len());
    for (a, b) in whole.iter().zip(&parts) {
        assert!((a - b).abs() < 1e-4 * a.abs().max(0.1), "{a} {b}");
    }
}

#[test]
fn parts_in_sequence_give_the_bits_of_parts_in_parallel() {
    let parallel = numbers(2, [1, 4]);
    assert_eq!(numbers(2, [4, 1]), parallel);
    assert_eq!(numbers(2, [2, 2]), parallel);
}

#[test]
fn parts_are_consecutive_and_differ_by_at_most_one() {
    let found: Vec<_> = parts(3..13, 4).collect();
    assert_eq!(found, [3..5, 5..8, 8..10, 10..13]);
}
