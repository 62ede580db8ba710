//! What a sweep or a probe reports while it runs.

use experiment::plan::Run;

use crate::probe::grid::Cell;
use crate::train::StepReport;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEnd {
    /// Trained and evaluated.
    Finished {
        /// Nats per token on the held-out set.
        val_loss: f64,
        /// Seconds of training and evaluation.
        wall_s: f64,
    },
    /// Finished in an earlier sweep.
    Skipped,
    /// Failed, with the reason.
    Failed(String),
}

/// Follows a sweep.
pub trait Progress {
    /// Something is prepared before the first run.
    fn preparing(&mut self, what: &str);
    /// The sweep begins.
    fn sweep(&mut self, runs: &[Run]);
    /// A run begins.
    fn run(&mut self, run: &Run);
    /// A training step is done.
    fn step(&mut self, report: &StepReport);
    /// The evaluation of a suite begins.
    fn evaluating(&mut self, suite: &str);
    /// The run ended.
    fn ended(&mut self, run: &Run, run_end: &RunEnd);
    /// A cell of a probe begins: which of how many.
    fn probing(&mut self, number: usize, all: usize, cell: &str);
    /// A phase of a cell has its row.
    fn probed(&mut self, cell: &Cell, phase: &str, outcome: &str);
    /// The sweep ended, and the terminal is free.
    fn done(&mut self);
}

/// Reports nothing but failures, on standard error.
#[derive(Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn preparing(&mut self, _: &str) {}
    fn sweep(&mut self, _: &[Run]) {}
    fn run(&mut self, _: &Run) {}
    fn step(&mut self, _: &StepReport) {}
    fn evaluating(&mut self, _: &str) {}
    fn ended(&mut self, run: &Run, run_end: &RunEnd) {
        if let RunEnd::Failed(reason) = run_end {
            eprintln!("{} failed: {reason}", run.label);
        }
    }
    fn probing(&mut self, _: usize, _: usize, _: &str) {}
    fn probed(&mut self, _: &Cell, _: &str, _: &str) {}
    fn done(&mut self) {}
}
