//! Recording of training steps and warnings during a run.

use std::time::{Duration, Instant};

use results::{Records, StepRow, WarningRow};

use crate::train::StepReport;
use crate::train::warning::Warning;

/// Least time between two writes, each of which rewrites the files of the run.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
/// Least ratio of the time between two writes to the time of a write, so that long runs do not spend their time on it.
const TIMES_A_WRITE: u32 = 20;

/// Writes the logged steps and the warnings of a run as rows.
pub struct StepRecorder<'a> {
    records: &'a Records,
    run: &'a str,
    steps: Vec<StepRow>,
    warnings: Vec<WarningRow>,
    written: Instant,
    between: Duration,
}

impl<'a> StepRecorder<'a> {
    /// A recorder for the run named `run`, whose recorded steps end where training begins.
    pub fn new(records: &'a Records, run: &'a str) -> Self {
        Self {
            records,
            run,
            steps: Vec::new(),
            warnings: Vec::new(),
            written: Instant::now(),
            between: BETWEEN_WRITES,
        }
    }

    /// Adds a logged step, and the warnings of the step.
    pub fn observe(&mut self, report: &StepReport) {
        if report.logged {
            self.steps.push(row(self.run, report));
        }
        report
            .warnings
            .iter()
            .for_each(|warning| self.warn(warning));
    }

    /// Adds a warning.
    pub fn warn(&mut self, warning: &Warning) {
        self.warnings.push(WarningRow {
            run: self.run.to_owned(),
            step: warning.step as u64,
            kind: warning.kind.name().to_owned(),
            subject: warning.subject.clone(),
            value: warning.value,
            threshold: warning.threshold,
            detail: warning.detail.clone(),
        });
    }

    /// Whether rows are to be written again.
    pub fn is_due(&self) -> bool {
        let pending = !self.steps.is_empty() || !self.warnings.is_empty();
        pending && self.written.elapsed() >= self.between
    }

    /// Writes the rows so far; after an error they remain to be written.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&mut self) -> Result<(), results::Error> {
        let clock = Instant::now();
        if !self.steps.is_empty() {
            self.records.append_steps(self.run, &self.steps)?;
            self.steps.clear();
        }
        if !self.warnings.is_empty() {
            self.records.append(self.run, &self.warnings)?;
            self.warnings.clear();
        }
        self.written = Instant::now();
        self.between = BETWEEN_WRITES.max(clock.elapsed() * TIMES_A_WRITE);
        Ok(())
    }
}

fn row(run: &str, report: &StepReport) -> StepRow {
    StepRow {
        run: run.to_owned(),
        step: report.step as u64,
        tokens: report.tokens,
        train_flops: report.train_flops,
        wall_s: report.wall_s,
        loss: report.loss,
        val_loss: report.val_loss,
        learning_rate: report.learning_rate,
        grad_norm: report.grad_norm,
        table_grad_norm: report.table_grad_norm,
        auxiliary_loss: report.auxiliary_loss,
        tokens_per_s: report.tokens_per_s,
    }
}
