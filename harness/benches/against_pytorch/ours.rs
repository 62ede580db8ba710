//! Our side of the rows: the operations of training, on constant inputs.

pub mod block;
pub mod decoder;
pub mod lookup;

use experiment::training::TrainingConfig;

/// Sequences of a step.
pub const BATCH: usize = 8;

/// Tokens of a sequence.
pub const SEQ: usize = 256;

/// The defaults of a sweep, but learning rates so small that hundreds of iterations on one batch do not change the work.
pub fn training(micro_batches: usize) -> TrainingConfig {
    let config = serde_json::json!({
        "batch_size": BATCH,
        "micro_batches": micro_batches,
        "learning_rate": 1e-5,
        "table_learning_rate": 1e-5,
    });
    serde_json::from_value(config).expect("a training configuration")
}
