//! Number of copies from the device to the host in training steps of every block. Alone in its process: the count is global.

#[path = "../../architectures/tests/models/mod.rs"]
mod models;
#[path = "ranks/training.rs"]
#[allow(
    dead_code,
    reason = "the tests of ranks use the rest of their training"
)]
mod training;

use std::sync::{Mutex, PoisonError};

use architectures::{Decoder, ModelConfig, TokenIds, host_copy};
use burn::tensor::{Device, Int, Tensor, TensorData};
use experiment::training::{Division, Recompute, TrainingConfig};
use harness::train::Batch;
use harness::train::backward::backward;
use harness::train::gradients::SummedBatch;
use harness::train::step::{LearningRates, Optimizers};
use models::{VOCAB, every_model};
use training::{models_for_ranks, outcomes};

/// One test at a time.
static COUNTING: Mutex<()> = Mutex::new(());

const SEQUENCES: usize = 4;

/// Kinds of the blocks of each layer.
fn kinds(config: &ModelConfig) -> Vec<Vec<String>> {
    let layers = config.layers().unwrap();
    let of_layer = layers.iter().map(|layer| {
        let blocks = layer.blocks();
        let kinds = blocks.map(|block| serde_json::to_value(block).unwrap()["kind"].take());
        kinds.map(|kind| kind.as_str().unwrap().to_owned())
    });
    of_layer.map(Iterator::collect).collect()
}

/// Copies that the blocks make in a step.
fn copies_of_blocks(config: &ModelConfig) -> u64 {
    // Cores, once for all layers, whose singular vectors the host computes after an update.
    let cores = |kind: &String| kind == "ultra_mem";
    u64::from(kinds(config).iter().flatten().any(cores))
}

fn batch(device: &Device) -> Batch {
    let tokens: Vec<i64> = (0..SEQUENCES as i64 * 9)
        .map(|i| (i * i * 5 + 1) % VOCAB as i64)
        .collect();
    let of = |first: usize| -> Vec<i64> {
        let sequences = tokens.chunks_exact(9);
        let shifted = sequences.flat_map(|sequence| &sequence[first..first + 8]);
        shifted.copied().collect()
    };
    let targets = TensorData::new(of(1), [SEQUENCES, 8]);
    (
        TokenIds::from_host(of(0), [SEQUENCES, 8], device),
        Tensor::from_data(targets, device),
    )
}

#[test]
fn a_step_is_one_copy_and_what_blocks_need() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let training: TrainingConfig = serde_json::from_str(
        r#"{"batch_size": 4, "learning_rate": 0.1, "table_learning_rate": 0.1}"#,
    )
    .unwrap();
    let divisions = [
        Division::WHOLE,
        Division {
            accumulate: 2,
            micro_batches: 2,
            ..Division::WHOLE
        },
        Division {
            accumulate: 2,
            recompute: Recompute::Every(1),
            ..Division::WHOLE
        },
    ];
    let device = Device::flex().autodiff();
    for (model, config) in every_model() {
        for division in divisions {
            let mut decoder = Decoder::new(&config, 3, &device).unwrap();
            let mut optimizers = Optimizers::new(&training);
            let mut norms_before = Vec::new();
            for _ in 0..2 {
                let before = host_copy::count();
                let gradients: SummedBatch = backward(&decoder, batch(&device), division).into();
                let norms = optimizers.numbers(&decoder, &gradients).norms;
                let rates = LearningRates::of(&training, 1.0);
                let has_tables = !gradients.parameters.tables.is_empty();
                let (updated, tables_norm) =
                    optimizers.update(decoder, gradients.parameters, norms, rates);
                decoder = updated;
                let copies = host_copy::count() - before;
                let expected = 1 + copies_of_blocks(&config);
                assert_eq!(copies, expected, "{model}, {division:?}");
                assert_eq!(tables_norm.is_known(), !has_tables, "{model}");
                norms_before.push(tables_norm);
            }
            // The second step has copied that of the first.
            let before = host_copy::count();
            assert!(norms_before[0].is_known(), "{model}");
            let [first, second] = [0, 1].map(|step| norms_before[step].value());
            let has_tables = !decoder.tables().is_empty();
            assert_eq!(host_copy::count() - before, u64::from(has_tables));
            let positive = [first > 0.0, second > 0.0];
            assert_eq!(positive, [has_tables; 2], "{model}: {first} {second}");
        }
    }
}

#[test]
fn only_a_caller_without_ids_on_the_host_makes_blocks_copy_them() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let device = Device::flex().autodiff();
    let hashed = ["engram", "hashed_bigram"];
    let mut count = 0;
    for (model, config) in every_model() {
        let kinds = kinds(&config);
        if !kinds
            .iter()
            .flatten()
            .any(|kind| hashed.contains(&kind.as_str()))
        {
            continue;
        }
        count += 1;
        let decoder = Decoder::new(&config, 3, &device).unwrap();
        let (ids, targets) = batch(&device);
        let on_device: Tensor<2, Int> = ids.on_device();
        for (ids, expected) in [(ids, 0), (on_device.into(), 1)] {
            let before = host_copy::count();
            backward(&decoder, (ids, targets.clone()), Division::WHOLE);
            assert_eq!(host_copy::count() - before, expected, "{model}");
        }
    }
    assert!(count >= 2);
}

#[test]
fn further_steps_of_training_are_one_copy_each_on_every_rank() {
    let _alone = COUNTING.lock().unwrap_or_else(PoisonError::into_inner);
    let compared = [
        "dense",
        "moe expert choice",
        "deepseek_moe",
        "memory+",
        "hashed_bigram",
        "ultra_mem",
    ];
    let models = models_for_ranks().into_iter();
    let mut count = 0;
    for (name, model) in models.filter(|(name, _)| compared.contains(&name.as_str())) {
        count += 1;
        for division in ["", "accumulate = 2\nzero_stage = 2\nrecompute = \"layers\""] {
            let training = training::training(division);
            for ranks in [1, 2] {
                // Both validate twice, and read the norm of the tables' gradients then.
                let copies = |steps| {
                    let before = host_copy::count();
                    outcomes(ranks, (&model, &training, steps));
                    host_copy::count() - before
                };
                let (few, many) = (copies(3), copies(6));
                let cores = u64::from(name == "ultra_mem");
                let expected = 3 * ranks as u64 * (1 + cores);
                assert_eq!(many - few, expected, "{name}, {division}, {ranks} ranks");
            }
        }
    }
    assert_eq!(count, compared.len());
}
