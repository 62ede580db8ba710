//! This project's side of the rows: operations of training on constant inputs.

pub mod block;
pub mod decoder;
pub mod generation;
pub mod lookup;

use experiment::training::TrainingConfig;

/// Sequences per step.
pub const BATCH: usize = 8;

/// Tokens per sequence.
pub const SEQ: usize = 256;

/// The default training configuration, with learning rates so small that hundreds of iterations on one batch do not
/// change the amount of work.
pub fn training(micro_batches: usize) -> TrainingConfig {
    training_of(BATCH, micro_batches)
}

/// [`training`] with batches of `batch` sequences.
pub fn training_of(batch: usize, micro_batches: usize) -> TrainingConfig {
    let config = serde_json::json!({
        "batch_size": batch,
        "micro_batches": micro_batches,
        "learning_rate": 1e-5,
        "table_learning_rate": 1e-5,
    });
    serde_json::from_value(config).expect("a training configuration")
}
