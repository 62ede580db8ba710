//! The loop over parts: unrecorded parts that fit into memory and time are measured, others are recorded with a reason.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use architectures::{Flops, NumericFormat};
use burn::tensor::Device;
use results::{ProbeRow, Records};

use super::derived;
use super::grid::{ProbedModel, ProbedPart};
use super::measure_decision::{Decision, by_memory, by_time};
use super::memory::DeviceMemory;
use super::part_timer::PartTimer;
use super::peaks::Peaks;
use super::phase::Phase;
use super::row::{ProbeRowContext, SKIPPED};
use crate::error::Error;
use crate::record::clock;
use crate::record::run_row::{FAILED, FINISHED};
use crate::run::conclusion::Conclusion;
use crate::run::execute::{Failure, catch_panic};
use crate::run::interrupt::Interrupt;
use crate::run::progress::Progress;
use experiment::memory_need::Bytes;
use experiment::quantity::count;
use experiment::training::TrainingConfig;

/// Share of the peak rates that a part is expected to reach, for the estimate of its time.
const EXPECTED_SHARE: f64 = 0.3;

/// Inputs and outputs of one probe command.
pub struct Session<'a> {
    /// Tables that rows are read from and written to.
    pub records: &'a Records,
    /// Values that are equal in all rows.
    pub row_context: ProbeRowContext,
    /// Device of the computation, without autodiff.
    pub device: &'a Device,
    /// Measures the peak rates of the device with products in a format and at most so many bytes: [`Peaks::measure`].
    pub measure_peaks: fn(&Device, NumericFormat, Bytes) -> Peaks,
    /// Memory that a part may use.
    pub memory: DeviceMemory,
    /// Time for the whole command.
    pub budget: Duration,
    /// When the command started.
    pub begun: Instant,
    /// Whether finished parts are measured again.
    pub again: bool,
    /// Optimizers and clipping of a step.
    pub training: &'a TrainingConfig,
    /// The flag that Ctrl-C sets.
    pub interrupt: &'a Interrupt,
}

impl Session<'_> {
    /// Measures `parts` and estimates `targets` from them; writes and returns their rows.
    ///
    /// # Arguments
    /// * `targets`: the selected models.
    /// * `all`: all models of the sweep.
    ///
    /// # Errors
    /// If rows cannot be read or written, or if a model is invalid.
    pub fn run(
        &self,
        parts: &[ProbedPart],
        (targets, all): (&[ProbedModel], &[ProbedModel]),
        progress: &mut dyn Progress,
    ) -> Result<(Conclusion, Vec<ProbeRow>), Error> {
        let mut rows: HashMap<String, ProbeRow> = HashMap::new();
        for row in self.records.read::<ProbeRow>()? {
            rows.insert(row.run.clone(), row);
        }
        let mut peaks = HashMap::new();
        let mut conclusion = Conclusion::Complete;
        for (number, part) in parts.iter().enumerate() {
            if self.interrupt.requested() {
                conclusion = Conclusion::Interrupted;
                break;
            }
            progress.probing(number + 1, parts.len(), &part.to_string());
            match self.time_part(part, &mut rows, &mut peaks, progress) {
                Ok(()) => {}
                Err(SessionError::Interrupted) => {
                    conclusion = Conclusion::Interrupted;
                    break;
                }
                Err(SessionError::Error(error)) => return Err(error),
            }
        }
        let mut recorded = Vec::new();
        for part in parts {
            for phase in Phase::ALL {
                recorded.extend(rows.get(&self.row_context.id(part, phase)?).cloned());
            }
        }
        for target in targets {
            for phase in Phase::ALL {
                let derived = derived::row(target, all, phase, &self.row_context, &rows)?;
                if let Some(row) = &derived {
                    self.records.write(&row.run, std::slice::from_ref(row))?;
                }
                recorded.extend(derived);
            }
        }
        let failed = recorded.iter().any(|row| row.status == FAILED);
        if failed && conclusion == Conclusion::Complete {
            conclusion = Conclusion::SomeFailed;
        }
        Ok((conclusion, recorded))
    }

    /// Measures the phases of `part` that are to be measured, and writes their rows.
    fn time_part(
        &self,
        part: &ProbedPart,
        rows: &mut HashMap<String, ProbeRow>,
        measured_peaks: &mut HashMap<NumericFormat, Result<Peaks, String>>,
        progress: &mut dyn Progress,
    ) -> Result<(), SessionError> {
        let started = clock::now();
        let format = part.decoder.numeric_format;
        crate::process::allocator::return_freed_memory();
        let usable = self.memory.usable();
        let mut to_measure = Vec::new();
        for phase in Phase::ALL {
            let row = rows.get(&self.row_context.id(part, phase)?);
            let need = self.row_context.need(part, phase);
            let status = row.map(|row| row.status.as_str());
            let memory_error = (need > usable).then(|| self.memory.shortage(need, usable));
            let mut decision = by_memory(status, memory_error, self.again);
            if decision == Decision::Measure {
                let peaks = measured_peaks.entry(format).or_insert_with(|| {
                    progress.preparing(&format!("peak rates of the device in {format}"));
                    self.peaks(format, usable)
                });
                match peaks {
                    Ok(peaks) => {
                        decision = by_time(self.expected(part, need, *peaks), self.remaining());
                    }
                    Err(reason) => {
                        let outcome = (FAILED, reason.as_str());
                        self.record_unmeasured(part, phase, outcome, None, &started, rows)?;
                        progress.probed(part, &phase.to_string(), &format!("{FAILED}: {reason}"));
                        continue;
                    }
                }
            }
            let peaks = measured_peaks
                .get(&format)
                .and_then(|peaks| peaks.as_ref().ok());
            match decision {
                Decision::Keep => progress.probed(part, &phase.to_string(), "recorded earlier"),
                Decision::Measure => to_measure.push(phase),
                Decision::Skip(reason) => {
                    let outcome = (SKIPPED, reason.as_str());
                    self.record_unmeasured(part, phase, outcome, peaks.copied(), &started, rows)?;
                    progress.probed(part, &phase.to_string(), &format!("{SKIPPED}: {reason}"));
                }
            }
        }
        let Some(&Ok(peaks)) = measured_peaks.get(&format) else {
            return Ok(());
        };
        if to_measure.is_empty() {
            return Ok(());
        }
        let timer = PartTimer {
            device: self.device,
            training: self.training,
            stop: &|| self.interrupt.requested(),
        };
        let mut measured = Vec::new();
        let mut row_error = None;
        let ended = catch_panic(|| {
            timer.measure(part, &to_measure, |phase, timed| {
                let row = self
                    .row_context
                    .measured(part, phase, &timed, peaks, &started);
                let row = match row {
                    Ok(row) => row,
                    Err(error) => {
                        row_error = Some(error);
                        return Err(Failure::Interrupted);
                    }
                };
                self.records.write(&row.run, std::slice::from_ref(&row))?;
                let outcome = format!(
                    "{} tokens/s, {} FLOP/s",
                    count(row.tokens_per_s),
                    count(row.flop_per_s)
                );
                progress.probed(part, &phase.to_string(), &outcome);
                measured.push(phase);
                rows.insert(row.run.clone(), row);
                Ok(())
            })
        });
        if let Some(error) = row_error {
            return Err(error.into());
        }
        match ended {
            Ok(()) => Ok(()),
            Err(Failure::Interrupted | Failure::TakenOver) => Err(SessionError::Interrupted),
            Err(Failure::Records(error)) => Err(Error::from(error).into()),
            Err(Failure::Checkpoint(error)) => Err(Error::from(error).into()),
            Err(Failure::Data(error)) => Err((*error).into()),
            Err(Failure::Failed(reason)) => {
                for phase in to_measure
                    .into_iter()
                    .filter(|phase| !measured.contains(phase))
                {
                    let outcome = (FAILED, reason.as_str());
                    self.record_unmeasured(part, phase, outcome, Some(peaks), &started, rows)?;
                    progress.probed(part, &phase.to_string(), &format!("{FAILED}: {reason}"));
                }
                Ok(())
            }
        }
    }

    /// Writes a row with the status and reason `outcome`, unless a measurement is already recorded.
    fn record_unmeasured(
        &self,
        part: &ProbedPart,
        phase: Phase,
        outcome: (&str, &str),
        peaks: Option<Peaks>,
        started: &str,
        rows: &mut HashMap<String, ProbeRow>,
    ) -> Result<(), Error> {
        let row = self
            .row_context
            .unmeasured(part, phase, outcome, peaks, started)?;
        if rows.get(&row.run).is_some_and(|row| row.status == FINISHED) {
            return Ok(());
        }
        self.records.write(&row.run, std::slice::from_ref(&row))?;
        rows.insert(row.run.clone(), row);
        Ok(())
    }

    /// The peak rates of the device, or why they cannot be measured. A failure is not tried again: it is that of all parts.
    fn peaks(&self, format: NumericFormat, usable: Bytes) -> Result<Peaks, String> {
        match catch_panic(|| Ok((self.measure_peaks)(self.device, format, usable))) {
            Ok(peaks) => Ok(peaks),
            Err(Failure::Failed(reason)) => Err(format!("peak rates of the device: {reason}")),
            // The body returns no error.
            Err(_) => Err("peak rates of the device: not measured".to_owned()),
        }
    }

    /// Rough estimate of the seconds to build a part and run the least number of passes.
    fn expected(&self, part: &ProbedPart, need: Bytes, peaks: Peaks) -> f64 {
        let flops: Flops = 3 * part.cost().training() * self.row_context.tokens as Flops;
        let (flops, bytes) = (flops as f64, 3.0 * need as f64);
        (flops / peaks.flop_per_s + bytes / peaks.bytes_per_s) / EXPECTED_SHARE
    }

    /// Remaining seconds of the budget.
    fn remaining(&self) -> f64 {
        let remaining = self.budget.saturating_sub(self.begun.elapsed());
        remaining.as_secs_f64()
    }
}

/// A reason to end the session early.
enum SessionError {
    Interrupted,
    Error(Error),
}

impl From<Error> for SessionError {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

#[cfg(test)]
mod tests;
