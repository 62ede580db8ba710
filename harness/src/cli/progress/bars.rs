//! Progress bars on a terminal, one for the sweep and one for the present run.
//!
//! The bar of the sweep counts training FLOPs, so that its remaining time accounts for runs of different cost.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use experiment::budget::TotalFlops;
use experiment::plan::Run;
use experiment::quantity::{count, duration};
use harness::probe::grid::ProbedPart;
use harness::run::progress::{Progress, RunEnd};
use harness::train::StepReport;

use super::data::{data_line, rate, stage_name};

/// Progress bars on standard error.
pub struct Bars {
    all: MultiProgress,
    sweep: ProgressBar,
    run: ProgressBar,
    /// The bar of a corpus that is being prepared.
    data: Option<ProgressBar>,
    runs: usize,
    ended: usize,
    /// Training FLOPs of the runs finished by this process.
    flops: TotalFlops,
}

impl Bars {
    /// Bars that are not drawn before the sweep starts.
    pub fn new() -> Self {
        let all = MultiProgress::new();
        let sweep = all.add(ProgressBar::no_length().with_style(style(
            "{prefix:>20} {wide_bar:.cyan} {msg}, {elapsed_precise} elapsed, {eta} left",
        )));
        let run = all.add(ProgressBar::no_length().with_style(style(
            "{prefix:>20} {wide_bar:.green} {pos}/{len} steps, {msg}, {eta} left",
        )));
        Self {
            all,
            sweep,
            run,
            data: None,
            runs: 0,
            ended: 0,
            flops: 0.0,
        }
    }

    fn print(&self, line: &str) {
        // A closed terminal must not stop a sweep.
        let _ = self.all.println(line);
    }

    fn count_runs(&self) {
        self.sweep
            .set_message(format!("{}/{} runs", self.ended, self.runs));
    }
}

fn style(template: &str) -> ProgressStyle {
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

impl Progress for Bars {
    fn preparing(&mut self, what: &str) {
        self.print(&format!("preparing {what}"));
    }

    fn data(&mut self, progress: &corpora::Progress) {
        let bar = self.data.get_or_insert_with(|| {
            let template = "{prefix:>20} {wide_bar:.magenta} {msg}";
            self.all
                .add(ProgressBar::no_length().with_style(style(template)))
        });
        bar.set_prefix(stage_name(progress));
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(rate(progress));
        if progress.done == progress.total {
            bar.finish_and_clear();
            self.data = None;
            self.print(&data_line(progress));
        }
    }

    fn sweep(&mut self, runs: &[Run]) {
        self.runs = self.ended + runs.len();
        self.count_runs();
        self.sweep.set_prefix("sweep");
        let flops: TotalFlops = runs.iter().map(|run| run.budget.train_flops).sum();
        self.sweep.set_length((self.flops + flops) as u64);
        self.sweep
            .enable_steady_tick(std::time::Duration::from_millis(500));
    }

    fn run(&mut self, run: &Run) {
        self.run.set_length(run.budget.steps as u64);
        self.run.reset();
        self.run.set_prefix(run.label.to_string());
    }

    fn step(&mut self, report: &StepReport) {
        self.run.set_message(format!(
            "loss {:.3}, {} tokens/s",
            report.loss,
            count(report.tokens_per_s)
        ));
        self.run.set_position(report.step as u64);
        self.sweep
            .set_position((self.flops + report.train_flops) as u64);
    }

    fn notice(&mut self, text: &str) {
        self.print(text);
    }

    fn evaluating(&mut self, suite: &str) {
        self.run.set_message(format!("evaluating {suite}"));
    }

    fn ended(&mut self, run: &Run, run_end: &RunEnd) {
        let (label, flops) = (&run.label, run.budget.train_flops);
        self.ended += 1;
        match run_end {
            RunEnd::Finished { val_loss, wall_s } => {
                self.print(&format!(
                    "{label}: validation loss {val_loss:.3}, {}",
                    duration(*wall_s)
                ));
                self.flops += flops;
            }
            // Skipped runs must not affect the estimate of the remaining time.
            RunEnd::Skipped => self.sweep.dec_length(flops as u64),
            RunEnd::Failed(reason) => {
                self.print(&format!("{label}: failed: {reason}"));
                self.sweep.dec_length(flops as u64);
            }
        }
        self.sweep.set_position(self.flops as u64);
        self.count_runs();
    }

    fn probing(&mut self, number: usize, all: usize, part: &str) {
        self.sweep.set_prefix("probe");
        self.sweep.set_length(all as u64);
        self.sweep.set_position(number.saturating_sub(1) as u64);
        self.sweep.set_message(format!("{number}/{all} {part}"));
        self.sweep
            .enable_steady_tick(std::time::Duration::from_millis(500));
    }

    fn probed(&mut self, part: &ProbedPart, phase: &str, outcome: &str) {
        self.print(&format!("{part} {phase}: {outcome}"));
    }

    fn done(&mut self) {
        self.run.finish_and_clear();
        self.sweep.finish_and_clear();
    }
}
