//! Tests of the gradients of a decoder whose tables are split over ranks.

use super::*;
use architectures::ModelConfig;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Device, Int, Tensor};
use collectives::thread_ranks;

const BLOCKS: [&str; 3] = [
    r#"{"kind": "memory", "keys": {"n_keys": 6, "top_k": 4}, "gate": true, "shared_values": true}"#,
    r#"{"kind": "peer", "keys": {"n_keys": 6, "top_k": 4}}"#,
    r#"{"kind": "ultra_mem", "n_keys": 6, "top_k": 4, "value_dim": 8, "pre_value_dim": 4}"#,
];

struct Values<'a> {
    gradients: &'a GradientsParams,
    values: Vec<f32>,
}

impl ModuleVisitor for Values<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.values.extend(gradient.into_data().iter::<f32>());
        }
    }
}

/// Loss and dense gradients, and the factors of the tables' gradients, of each of two ranks.
fn numbers(block: &str, division: Division) -> Vec<[Vec<f32>; 2]> {
    let config: ModelConfig = serde_json::from_str(&format!(
        r#"{{"decoder": {{"vocab_size": 30, "d_model": 16, "n_layers": 3, "n_heads": 2, "seq_len": 16}},
             "blocks": [{{"block": {block}, "placement": "all"}}]}}"#
    ))
    .unwrap();
    thread_ranks(2, |ranks| {
        let device = Device::flex().autodiff();
        let rank = ranks.rank() as i64;
        let decoder = Decoder::on_ranks(&config, 0, &device, ranks).unwrap();
        let tokens: Vec<i64> = (0..4 * 17).map(|i| (i * i + 7 * rank) % 30).collect();
        let tokens = Tensor::<1, Int>::from_data(tokens.as_slice(), &device).reshape([4, 17]);
        let batch = (
            tokens.clone().narrow(1, 0, 16).into(),
            tokens.narrow(1, 1, 16),
        );
        let gradients = backward(&decoder, batch, division);
        let mut dense = Values {
            gradients: &gradients.parameters.dense,
            values: vec![gradients.losses.on_host()[0] as f32],
        };
        decoder.visit(&mut dense);
        let dense = dense.values;
        let parts = gradients.parameters.tables.iter();
        let parts = parts.flat_map(|(_, parts)| parts);
        let factors = parts.flat_map(|part| [part.weights.clone(), part.rows.clone()]);
        let factors =
            factors.flat_map(|factor| factor.into_data().iter::<f32>().collect::<Vec<_>>());
        [dense, factors.collect()]
    })
}

/// Panics where the numbers of `found` differ from those of `expected` by more than `tolerance` of the largest.
fn assert_equal(what: &str, found: &[[Vec<f32>; 2]], expected: &[[Vec<f32>; 2]], tolerance: f32) {
    assert_eq!(found.len(), expected.len());
    for (rank, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (part, found, expected) in [
            ("dense gradients", &found[0], &expected[0]),
            ("factors of tables", &found[1], &expected[1]),
        ] {
            assert_eq!(found.len(), expected.len(), "{what}, rank {rank}, {part}");
            let largest = expected.iter().fold(0f32, |most, x| most.max(x.abs()));
            let mut pairs = found.iter().zip(expected).enumerate();
            let far =
                |(found, expected): (&f32, &f32)| (found - expected).abs() > tolerance * largest;
            let other = pairs.find(|(_, pair)| far(*pair));
            assert_eq!(other, None, "{what}, rank {rank}, {part}");
        }
    }
}

#[test]
fn layers_evaluated_again_look_up_the_same() {
    for block in BLOCKS {
        let again = Division {
            recompute: Recompute::Every(1),
            ..Division::WHOLE
        };
        let whole = numbers(block, Division::WHOLE);
        assert_equal(block, &numbers(block, again), &whole, 1e-6);
    }
}

/// In parallel the exchanges of the parts would mix.
#[test]
fn parts_in_parallel_are_computed_one_after_the_other() {
    for block in BLOCKS {
        let in_parallel = Division {
            micro_batches: 2,
            ..Division::WHOLE
        };
        let in_sequence = Division {
            accumulate: 2,
            ..Division::WHOLE
        };
        let expected = numbers(block, in_sequence);
        assert_equal(block, &numbers(block, in_parallel), &expected, 0.0);
    }
}
