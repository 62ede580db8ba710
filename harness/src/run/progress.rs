//! The interface through which sweeps and probes report progress.

use experiment::plan::Run;

use crate::probe::grid::ProbedPart;
use crate::process::standard_error::note;
use crate::train::StepReport;

/// Outcome of a run.
#[derive(Clone, Debug, PartialEq)]
pub enum RunEnd {
    /// Trained and evaluated.
    Finished {
        /// Mean loss on the held-out set, nats per token.
        val_loss: f64,
        /// Seconds of training and evaluation.
        wall_s: f64,
    },
    /// Already finished by an earlier command.
    Skipped,
    /// Failed, with the reason.
    Failed(String),
}

/// Receives the progress of a sweep or a probe.
pub trait Progress {
    /// `what` is being prepared.
    fn preparing(&mut self, what: &str);
    /// Part of a corpus is prepared.
    fn data(&mut self, progress: &corpora::Progress);
    /// A sweep of `runs` starts, or goes on with further ones.
    fn sweep(&mut self, runs: &[Run]);
    /// A run starts.
    fn run(&mut self, run: &Run);
    /// A training step is done.
    fn step(&mut self, report: &StepReport);
    /// Something that the user should know happened, such as a full disk or a damaged checkpoint.
    fn notice(&mut self, text: &str);
    /// The evaluation of a suite starts.
    fn evaluating(&mut self, suite: &str);
    /// A run ended.
    fn ended(&mut self, run: &Run, run_end: &RunEnd);
    /// The timing of part `number` of `all` starts.
    fn probing(&mut self, number: usize, all: usize, part: &str);
    /// The row of one phase of a part exists.
    fn probed(&mut self, part: &ProbedPart, phase: &str, outcome: &str);
    /// The command has no more progress to report; the display is removed.
    fn done(&mut self);
}

/// Reports failures only, on standard error.
#[derive(Debug, Default)]
pub struct Quiet;

impl Progress for Quiet {
    fn preparing(&mut self, _: &str) {}
    fn data(&mut self, _: &corpora::Progress) {}
    fn sweep(&mut self, _: &[Run]) {}
    fn run(&mut self, _: &Run) {}
    fn step(&mut self, _: &StepReport) {}
    fn notice(&mut self, text: &str) {
        note(text);
    }
    fn evaluating(&mut self, _: &str) {}
    fn ended(&mut self, run: &Run, run_end: &RunEnd) {
        if let RunEnd::Failed(reason) = run_end {
            note(format_args!("{} failed: {reason}", run.label));
        }
    }
    fn probing(&mut self, _: usize, _: usize, _: &str) {}
    fn probed(&mut self, _: &ProbedPart, _: &str, _: &str) {}
    fn done(&mut self) {}
}
