//! Progress as lines of text, for pipes and logs: the first and last step of a run, and at most one per ten seconds
//! between.

use std::time::{Duration, Instant};

use crate::cli::output::note;
use experiment::plan::Run;
use experiment::quantity::{count, duration};
use harness::probe::grid::ProbedPart;
use harness::run::progress::{Progress, RunEnd};
use harness::train::StepReport;

use super::data::data_line;

/// Least time between two lines of one run.
const INTERVAL: Duration = Duration::from_secs(10);

/// Progress as lines on standard error.
#[derive(Default)]
pub struct Lines {
    runs: usize,
    begun: usize,
    steps: usize,
    label: String,
    last: Option<Instant>,
}

impl Progress for Lines {
    fn preparing(&mut self, what: &str) {
        note(format_args!("preparing {what}"));
    }

    fn data(&mut self, progress: &corpora::Progress) {
        let due = self.last.is_none_or(|last| last.elapsed() >= INTERVAL);
        if due || progress.done == progress.total {
            self.last = Some(Instant::now());
            note(data_line(progress));
        }
    }

    fn sweep(&mut self, runs: &[Run]) {
        self.runs = self.begun + runs.len();
    }

    fn run(&mut self, run: &Run) {
        self.begun += 1;
        self.steps = run.budget.steps;
        self.label = format!("[{}/{}] {}", self.begun, self.runs, run.label);
        self.last = None;
        note(format_args!("{}: {} steps", self.label, self.steps));
    }

    fn step(&mut self, report: &StepReport) {
        let due = self.last.is_none_or(|last| last.elapsed() >= INTERVAL);
        if !due && report.step != self.steps {
            return;
        }
        self.last = Some(Instant::now());
        let left = (self.steps.saturating_sub(report.step)) as f64 * report.wall_s
            / report.step.max(1) as f64;
        note(format_args!(
            "{}: step {}/{}, loss {:.3}, {} tokens/s, {} left",
            self.label,
            report.step,
            self.steps,
            report.loss,
            count(report.tokens_per_s),
            duration(left),
        ));
    }

    fn notice(&mut self, text: &str) {
        note(text);
    }

    fn evaluating(&mut self, suite: &str) {
        note(format_args!("{}: evaluating {suite}", self.label));
    }

    fn ended(&mut self, run: &Run, run_end: &RunEnd) {
        if !self.label.ends_with(&format!("] {}", run.label)) {
            // Not begun by this process.
            self.begun += 1;
            self.label = format!("[{}/{}] {}", self.begun, self.runs, run.label);
        }
        match run_end {
            RunEnd::Finished { val_loss, wall_s } => {
                note(format_args!(
                    "{}: finished in {}, validation loss {val_loss:.3}",
                    self.label,
                    duration(*wall_s)
                ));
            }
            RunEnd::Skipped => note(format_args!("{}: finished earlier", self.label)),
            RunEnd::Failed(reason) => note(format_args!("{}: failed: {reason}", self.label)),
        }
    }

    fn probing(&mut self, number: usize, all: usize, _: &str) {
        self.label = format!("[{number}/{all}]");
    }

    fn probed(&mut self, part: &ProbedPart, phase: &str, outcome: &str) {
        note(format_args!("{} {part} {phase}: {outcome}", self.label));
    }

    fn done(&mut self) {}
}
