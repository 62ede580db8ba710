//! Silence, but for failures.

use super::{Ending, Progress};
use crate::plan::Run;
use crate::probe::grid::Cell;
use crate::train::StepReport;

/// Says nothing until a run fails.
pub struct Quiet;

impl Progress for Quiet {
    fn preparing(&mut self, _: &str) {}
    fn sweep(&mut self, _: &[Run]) {}
    fn run(&mut self, _: &Run) {}
    fn step(&mut self, _: &StepReport) {}
    fn asking(&mut self, _: &str) {}
    fn ended(&mut self, run: &Run, ending: &Ending) {
        if let Ending::Failed(reason) = ending {
            eprintln!("{} failed: {reason}", run.cell);
        }
    }
    fn probing(&mut self, _: usize, _: usize, _: &str) {}
    fn probed(&mut self, _: &Cell, _: &str, _: &str) {}
    fn done(&mut self) {}
}
