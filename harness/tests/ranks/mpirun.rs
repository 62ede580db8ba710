//! The command `mpirun`, and what it wrote.

use std::process::Command;

use results::{Records, RunRow, StepRow};

use crate::scratch::Scratch;

/// The command `isoflop sweep` on `ranks` ranks; `None`, with a message, where that cannot be tested.
pub fn mpirun(scratch: &Scratch, ranks: usize, output: &str) -> Option<Command> {
    if !cfg!(feature = "mpi") {
        skipped("the feature `mpi` is not enabled");
        return None;
    }
    if Command::new("mpirun").arg("--version").output().is_err() {
        skipped("there is no mpirun");
        return None;
    }
    let mut command = Command::new("mpirun");
    command
        .args([
            "--allow-run-as-root",
            "--oversubscribe",
            "--bind-to",
            "none",
        ])
        .args(["-n", &ranks.to_string()])
        .arg(env!("CARGO_BIN_EXE_isoflop"))
        .args(["sweep", "sweep.toml", "--quiet", "--threads", "1"])
        .args(["--output", output])
        .current_dir(scratch.path(""));
    Some(command)
}

#[allow(clippy::print_stdout)]
fn skipped(reason: &str) {
    println!("skipped: {reason}");
}

/// The rows of runs and steps under `output`.
pub fn rows(scratch: &Scratch, output: &str) -> (Vec<RunRow>, Vec<StepRow>) {
    let records = Records::open(scratch.path(&format!("{output}/tiny/records"))).unwrap();
    let mut runs: Vec<RunRow> = records.read().unwrap();
    let mut steps: Vec<StepRow> = records.read().unwrap();
    runs.sort_by(|a, b| a.run.cmp(&b.run));
    steps.sort_by(|a, b| (&a.run, a.step).cmp(&(&b.run, b.step)));
    (runs, steps)
}
