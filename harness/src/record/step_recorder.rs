//! Recording of training steps during a run.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use results::{Records, StepRow};

use crate::train::StepReport;

/// Least time between two writes, each of which rewrites the file of the run; also the most that a crash loses.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);

/// Writes the logged steps of a run as rows.
pub struct StepRecorder<'a> {
    records: &'a Records,
    run: &'a str,
    pending: Vec<StepRow>,
    written: Instant,
    failure: Option<results::Error>,
}

impl<'a> StepRecorder<'a> {
    /// A recorder for the run named `run`, which has no step rows yet.
    pub fn new(records: &'a Records, run: &'a str) -> Self {
        Self {
            records,
            run,
            pending: Vec::new(),
            written: Instant::now(),
            failure: None,
        }
    }

    /// Records a logged step; breaks if rows cannot be written.
    pub fn observe(&mut self, report: &StepReport) -> ControlFlow<()> {
        if report.logged {
            self.pending.push(row(self.run, report));
        }
        if self.written.elapsed() >= BETWEEN_WRITES {
            self.write();
        }
        if self.failure.is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }

    fn write(&mut self) {
        if !self.pending.is_empty() {
            self.failure = self.records.append_steps(self.run, &self.pending).err();
            self.pending.clear();
        }
        self.written = Instant::now();
    }

    /// Writes the pending rows.
    ///
    /// # Errors
    /// If this or an earlier write failed.
    pub fn finish(mut self) -> Result<(), results::Error> {
        if self.failure.is_none() {
            self.write();
        }
        self.failure.map_or(Ok(()), Err)
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
