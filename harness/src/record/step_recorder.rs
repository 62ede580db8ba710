//! Recording of training steps and warnings during a run.

use std::time::{Duration, Instant};

use results::{Records, StepRow, WarningRow};

use crate::train::StepReport;
use crate::train::warning::Warning;

/// Least time between two writes, each of which rewrites the files of the run.
const BETWEEN_WRITES: Duration = Duration::from_secs(1);
/// Least ratio of the time between two writes to the time of a write, so that long runs do not spend their time on it.
const TIMES_A_WRITE: u32 = 20;

/// Steps whose rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// Those of which the host has every number.
    Known,
    /// All, for which numbers of the latest are copied from the device.
    All,
}

/// Writes the logged steps and the warnings of a run as rows.
///
/// The norm of the tables' gradients of the latest step is on the device until the next step has copied it. Between steps the rows before it
/// are written, so that no row waits for the device; before a checkpoint and at the end all are.
pub struct StepRecorder<'a> {
    records: &'a Records,
    run: &'a str,
    /// Not yet written.
    steps: Vec<StepReport>,
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
            self.steps.push(report.clone());
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
        let pending = self.known_steps() > 0 || !self.warnings.is_empty();
        pending && self.written.elapsed() >= self.between
    }

    fn known_steps(&self) -> usize {
        let is_known = |step: &&StepReport| step.table_grad_norm.is_known();
        self.steps.iter().take_while(is_known).count()
    }

    /// Writes `rows` of the steps so far, and all warnings; after an error they remain to be written.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn write(&mut self, rows: Rows) -> Result<(), results::Error> {
        let clock = Instant::now();
        let count = match rows {
            Rows::Known => self.known_steps(),
            Rows::All => self.steps.len(),
        };
        if count > 0 {
            let steps = self.steps[..count].iter();
            let rows: Vec<StepRow> = steps.map(|step| row(self.run, step)).collect();
            self.records.append_steps(self.run, &rows)?;
            self.steps.drain(..count);
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
        table_grad_norm: report.table_grad_norm.value(),
        auxiliary_loss: report.auxiliary_loss,
        tokens_per_s: report.tokens_per_s,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::tables_norm::TablesNorm;
    use burn::tensor::{Device, Tensor};

    fn report(step: usize, table_grad_norm: &TablesNorm) -> StepReport {
        StepReport {
            step,
            tokens: 0,
            train_flops: 0.0,
            wall_s: 0.0,
            loss: 1.0,
            val_loss: None,
            learning_rate: 0.0,
            grad_norm: 0.0,
            table_grad_norm: table_grad_norm.clone(),
            auxiliary_loss: 0.0,
            tokens_per_s: 0.0,
            logged: true,
            warnings: Vec::new(),
        }
    }

    #[test]
    fn a_row_waits_for_the_norm_of_its_tables_unless_all_rows_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        let mut recorder = StepRecorder::new(&records, "run");
        recorder.between = Duration::ZERO;
        let written = || -> Vec<(u64, f64)> {
            let rows: Vec<StepRow> = records.read_run("run").unwrap();
            rows.iter()
                .map(|row| (row.step, row.table_grad_norm))
                .collect()
        };
        let late = |norm: f32| TablesNorm::of(vec![Tensor::from_data([norm], &Device::flex())]);
        let norms = [late(3.0), late(4.0), late(5.0)];
        recorder.observe(&report(1, &norms[0]));
        assert!(!recorder.is_due());
        recorder.write(Rows::Known).unwrap();
        assert_eq!(written(), []);

        // As the next step does.
        norms[0].value();
        recorder.observe(&report(2, &norms[1]));
        recorder.between = Duration::ZERO;
        assert!(recorder.is_due());
        recorder.write(Rows::Known).unwrap();
        assert_eq!(written(), [(1, 3.0)]);
        assert!(!norms[1].is_known());

        recorder.observe(&report(3, &norms[2]));
        recorder.write(Rows::All).unwrap();
        assert_eq!(written(), [(1, 3.0), (2, 4.0), (3, 5.0)]);
    }
}
