//! Memory of a Memory+ training step beyond parameters, tables and moments.
//!
//! Each shape is measured in a separate child process, since memory that the allocator retains from one shape would be
//! reused by the next.

use std::error::Error;
use std::process::Command;

use harness::process::{allocator, peak_memory};

use crate::ours::block::BlockStep;
use crate::ours::{BATCH, SEQ};
use crate::step_shape::StepShape;
use crate::table::ResultTable;

/// Name of the measurement for `--only`.
pub const NAME: &str = "step-memory";

const N_KEYS: usize = 256;
const HEADS: usize = 4;

const SHAPES: [StepShape; 4] = [
    StepShape::new(8, 128),
    StepShape::new(32, 128),
    StepShape::new(8, 512),
    StepShape::new(32, 512),
];

/// Bytes by which the peak memory of a step exceeds the resident memory before it. To be called in a new process.
pub fn growth(shape: StepShape) -> u64 {
    let config = format!(
        r#"{{"kind": "memory", "keys": {{"n_keys": {N_KEYS}, "n_heads": {HEADS}, "top_k": {}}}, "gate": true,
            "shared_values": true}}"#,
        shape.top_k
    );
    let mut training = BlockStep::new(&config, shape.d_model);
    // The moments of a row are allocated at its first update; all steps have the same batch.
    (0..3).for_each(|_| training.step());
    allocator::return_freed_memory();
    peak_memory::reset();
    let before = peak_memory::bytes();
    training.step();
    peak_memory::bytes() - before
}

/// Measures all shapes.
///
/// # Errors
/// If a child process cannot be run or fails.
pub fn measure() -> Result<ResultTable, Box<dyn Error>> {
    let mut table = ResultTable::new(
        "Memory of a Memory+ step beyond parameters, table and moments",
        vec![
            "top_k",
            "d_model",
            "growth, MiB",
            "tokens x heads x top_k x d_model in f32, MiB",
        ],
    );
    for shape in SHAPES {
        let child = Command::new(std::env::current_exe()?)
            .arg(format!("--step-memory={shape}"))
            .output()?;
        let text = String::from_utf8(child.stdout)?;
        let growth: u64 = text.trim().parse().map_err(|_| {
            format!(
                "the child process for {shape} ended with {}: {text}",
                child.status
            )
        })?;
        let gathered = BATCH * SEQ * HEADS * shape.top_k * shape.d_model * size_of::<f32>();
        let mebibytes = |bytes: f64| format!("{:.1}", bytes / (1 << 20) as f64);
        table.push(vec![
            shape.top_k.to_string(),
            shape.d_model.to_string(),
            mebibytes(growth as f64),
            mebibytes(gathered as f64),
        ]);
    }
    table.note(format!(
        "One block, 2048 tokens, 2^{} slots, {HEADS} heads: peak resident memory of one step minus resident memory \
         before it, each shape in a separate process",
        2 * N_KEYS.ilog2()
    ));
    Ok(table)
}
