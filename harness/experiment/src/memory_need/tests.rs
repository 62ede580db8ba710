use super::*;
use crate::plan::Plan;
use crate::sweep_file::Sweep;
use crate::training::{Recompute, ZeroStage};

#[test]
fn components_equal_the_formula() {
    let plan = Plan::new(Sweep::parse("f.toml", crate::testing::SWEEP).unwrap()).unwrap();
    let run = &plan.runs[1];
    let (dense, table) = (run.cost.params_dense, run.cost.params_table);
    assert_eq!(table, 8 * 8 * 16);
    let formats = |products, table_moments| Formats {
        products,
        table_moments,
    };
    let (single, half) = (NumericFormat::F32, NumericFormat::Bf16);
    let f32_formats = formats(single, single);
    assert_eq!(Formats::of(run, None), f32_formats);
    let need = MemoryNeed::of(run, f32_formats).unwrap();
    assert_eq!(
        [need.weights, need.gradients, need.optimizer, need.table],
        [4 * dense, 4 * dense, 8 * dense, 12 * table]
    );
    let narrow = MemoryNeed::of(run, Formats::of(run, Some(half))).unwrap();
    assert_eq!(
        [
            narrow.weights,
            narrow.gradients,
            narrow.optimizer,
            narrow.table
        ],
        [6 * dense, 4 * dense, 8 * dense, 10 * table]
    );
    let narrowest = MemoryNeed::of(run, formats(half, half)).unwrap();
    assert_eq!(narrowest.table, 6 * table);
    let layers = run.model.activations().unwrap();
    let numbers: u64 = layers.iter().map(|layer| layer.stored).sum();
    // Batches of four sequences of 32 tokens; the logits of 400 tokens with their gradient, and the head's gradient.
    let logits = 2 * 4 * 128 * 400;
    let head = 4 * 400 * 16;
    assert_eq!(
        need.activations,
        4 * 128 * (numbers + 2 * 16) + logits + head
    );
    let outputs = ((run.cost.matmul + run.cost.lookup) / 32 - 400) / 2 * 2;
    let saved = 128 * 2 * outputs;
    assert_eq!(narrow.activations, need.activations + 2 * 128 * 400 - saved);
    // One memory layer of two: ids, weights and rows of 16 reads.
    assert_eq!(need.table_gradient, 4 * 128 * (3 * 16 + 16));
    assert_eq!(need.step, need.activations + 2 * dense);
    let divided = |accumulate, recompute| {
        let division = Division {
            accumulate,
            recompute,
            ..Division::WHOLE
        };
        MemoryNeed::divided(run, f32_formats, division).unwrap()
    };
    let parts = divided(4, Recompute::None);
    assert_eq!(parts.gradients, 2 * need.gradients);
    assert_eq!(
        4 * (parts.activations - head),
        need.activations - head,
        "activations of one part of four"
    );
    let held = 6 * dense + 3 * need.table_gradient / 4;
    assert!(parts.step >= held + parts.activations);
    let recomputed = divided(4, Recompute::Every(1));
    let saved = parts.activations - recomputed.activations;
    assert_eq!(saved, 4 * 32 * (layers[0].stored - 16));
}

#[test]
fn divided_gradients_are_a_share_and_those_of_one_segment() {
    let plan = Plan::new(Sweep::parse("f.toml", crate::testing::SWEEP).unwrap()).unwrap();
    let run = &plan.runs[1];
    let dense = run.cost.params_dense;
    let layers = run.model.dense_parameters_of_layers().unwrap();
    let (matrix, norm) = (400 * 16, 16);
    assert_eq!(layers.iter().sum::<u64>() + 2 * matrix + norm, dense);
    let need = |zero_stage, recompute| {
        let division = Division {
            accumulate: 2,
            ranks: 2,
            zero_stage,
            recompute,
            ..Division::WHOLE
        };
        MemoryNeed::divided(run, Formats::of(run, None), division).unwrap()
    };
    let again = Recompute::Every(1);
    let whole = need(ZeroStage::Moments, again);
    assert_eq!(whole.gradients, 8 * dense);
    let by_part = need(ZeroStage::Gradients, Recompute::None);
    assert_eq!(by_part.gradients, 4 * dense + 2 * dense);
    let largest = layers[1].max(layers[0] + matrix);
    let by_segment = need(ZeroStage::Gradients, again);
    assert_eq!(by_segment.gradients, 2 * dense + 4 * largest);
}
