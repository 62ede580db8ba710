//! What a sweep tells while it runs: bars on a terminal, lines in a pipe, nothing when asked for quiet.

mod bars;
mod lines;
pub mod quantity;
mod quiet;

use std::io::IsTerminal;

use bars::Bars;
use lines::Lines;
use quiet::Quiet;

use crate::plan::Run;
use crate::probe::grid::Cell;
use crate::train::StepReport;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// Trained and asked.
    Finished {
        /// Nats per token on the held-out set.
        val_loss: f64,
        /// Training and asking.
        wall_s: f64,
    },
    /// Finished in an earlier sweep.
    Skipped,
    /// It has a row that says why.
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
    /// The run is asked a suite.
    fn asking(&mut self, suite: &str);
    /// The run ended.
    fn ended(&mut self, run: &Run, ending: &Ending);
    /// A cell of a probe begins: which of how many.
    fn probing(&mut self, number: usize, all: usize, cell: &str);
    /// A phase of a cell has its row.
    fn probed(&mut self, cell: &Cell, phase: &str, outcome: &str);
    /// The sweep ended, and the terminal is free.
    fn done(&mut self);
}

/// What suits standard error.
pub fn fitting(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Quiet)
    } else if std::io::stderr().is_terminal() {
        Box::new(Bars::new())
    } else {
        Box::new(Lines::default())
    }
}
