//! How much memory a Memory+ step takes beyond its parameters, tables and moments.
//!
//! Each shape is measured in a child process of its own: what the allocator keeps of one shape would hide what the next one
//! takes.

use std::error::Error;
use std::process::Command;

use harness::process::peak_memory;

use crate::ours::block::BlockStep;
use crate::ours::{BATCH, SEQ};
use crate::step_shape::StepShape;
use crate::table::Section;

/// Its name for `--only`.
pub const NAME: &str = "step-memory";

const N_KEYS: usize = 256;
const HEADS: usize = 4;

const SHAPES: [StepShape; 4] = [
    StepShape::new(8, 128),
    StepShape::new(32, 128),
    StepShape::new(8, 512),
    StepShape::new(32, 512),
];

/// Bytes by which the peak of a step exceeds what is held between steps; for a process that does nothing else.
pub fn growth(shape: StepShape) -> u64 {
    let config = format!(
        r#"{{"kind": "memory", "keys": {{"n_keys": {N_KEYS}, "n_heads": {HEADS}, "top_k": {}}}, "gate": true,
            "shared_values": true}}"#,
        shape.top_k
    );
    let mut training = BlockStep::new(&config, shape.d_model);
    // Pages of the moments are allocated when a row is first updated; the same batch reads the same rows again.
    (0..3).for_each(|_| training.step());
    return_free_memory();
    peak_memory::reset();
    let held = peak_memory::bytes();
    training.step();
    peak_memory::bytes() - held
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn return_free_memory() {
    // SAFETY: no argument can make it unsafe; it only returns unused pages.
    unsafe { libc::malloc_trim(0) };
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn return_free_memory() {}

/// All shapes.
pub fn measure() -> Result<Section, Box<dyn Error>> {
    let mut section = Section::new(
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
        let growth: u64 = text
            .trim()
            .parse()
            .map_err(|_| format!("the child for {shape} ended with {}: {text}", child.status))?;
        let gathered = BATCH * SEQ * HEADS * shape.top_k * shape.d_model * size_of::<f32>();
        let mebibytes = |bytes: f64| format!("{:.1}", bytes / (1 << 20) as f64);
        section.push(vec![
            shape.top_k.to_string(),
            shape.d_model.to_string(),
            mebibytes(growth as f64),
            mebibytes(gathered as f64),
        ]);
    }
    section.note(format!(
        "One block, 2048 tokens, 2^{} slots, {HEADS} heads: peak resident memory of one step minus what is resident \
         before it, each shape in a process of its own",
        2 * N_KEYS.ilog2()
    ));
    Ok(section)
}
