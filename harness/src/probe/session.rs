//! The loop over cells: what is missing and fits is measured, everything else is a row with its reason.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use architectures::Flops;
use burn::tensor::Device;
use results::{ProbeRow, Records};

use super::derived;
use super::grid::{Cell, Target};
use super::memory::Memory;
use super::peaks::Peaks;
use super::phase::Phase;
use super::row::{Circumstances, SKIPPED};
use super::workbench::Workbench;
use crate::attempt::{Failure, caught};
use crate::clock;
use crate::conclusion::Conclusion;
use crate::error::Error;
use crate::interrupt::Interrupt;
use crate::memory_need::Bytes;
use crate::progress::Progress;
use crate::progress::quantity::{count, duration};
use crate::run_row::{FAILED, FINISHED};
use crate::train::TrainingConfig;

/// Shares of the peaks that a cell is expected to reach, so as not to begin what the budget does not hold.
const EXPECTED_SHARE: f64 = 0.3;

/// What all cells of one command share.
pub struct Session<'a> {
    pub records: &'a Records,
    pub circumstances: Circumstances,
    /// Without autodiff.
    pub device: &'a Device,
    pub memory: Memory,
    /// How long it may take.
    pub budget: Duration,
    pub begun: Instant,
    /// Whether finished cells are measured again.
    pub again: bool,
    /// Optimizers and clipping of a step.
    pub training: &'a TrainingConfig,
    pub interrupt: &'a Interrupt,
}

/// What is to become of one phase of a cell.
#[derive(Clone, Debug, PartialEq)]
enum Verdict {
    /// Its row stands.
    Leave,
    /// It gets a row with this reason.
    Skip(String),
    Measure,
}

impl Session<'_> {
    /// Measures `cells`, derives `targets` from them and leaves a row for each; returns those rows too.
    pub fn run(
        &self,
        cells: &[Cell],
        (targets, all): (&[Target], &[Target]),
        progress: &mut dyn Progress,
    ) -> Result<(Conclusion, Vec<ProbeRow>), Error> {
        let mut rows: HashMap<String, ProbeRow> = HashMap::new();
        for row in self.records.read::<ProbeRow>()? {
            rows.insert(row.run.clone(), row);
        }
        let mut peaks = None;
        let mut conclusion = Conclusion::Complete;
        for (number, cell) in cells.iter().enumerate() {
            if self.interrupt.requested() {
                conclusion = Conclusion::Interrupted;
                break;
            }
            progress.probing(number + 1, cells.len(), &cell.to_string());
            match self.cell(cell, &mut rows, &mut peaks, progress) {
                Ok(()) => {}
                Err(Stopped::Interrupted) => {
                    conclusion = Conclusion::Interrupted;
                    break;
                }
                Err(Stopped::Error(error)) => return Err(error),
            }
        }
        let mut told = Vec::new();
        for cell in cells {
            for phase in Phase::ALL {
                told.extend(rows.get(&self.circumstances.id(cell, phase)?).cloned());
            }
        }
        for target in targets {
            for phase in Phase::ALL {
                let derived = derived::row(target, all, phase, &self.circumstances, &rows)?;
                if let Some(row) = &derived {
                    self.records.write(&row.run, std::slice::from_ref(row))?;
                }
                told.extend(derived);
            }
        }
        let failed = told.iter().any(|row| row.status == FAILED);
        if failed && conclusion == Conclusion::Complete {
            conclusion = Conclusion::SomeFailed;
        }
        Ok((conclusion, told))
    }

    fn cell(
        &self,
        cell: &Cell,
        rows: &mut HashMap<String, ProbeRow>,
        peaks: &mut Option<Peaks>,
        progress: &mut dyn Progress,
    ) -> Result<(), Stopped> {
        let started = clock::now();
        crate::allocator::give_back_freed_memory();
        let usable = self.memory.usable();
        let mut open = Vec::new();
        for phase in Phase::ALL {
            let row = rows.get(&self.circumstances.id(cell, phase)?);
            let need = self.circumstances.need(cell, phase);
            let mut verdict = self.by_memory(row, need, usable);
            if verdict == Verdict::Measure {
                let peaks = *peaks.get_or_insert_with(|| {
                    progress.preparing("the device's peaks");
                    Peaks::measure(self.device, usable)
                });
                verdict = by_time(self.expected(cell, need, peaks), self.left());
            }
            match verdict {
                Verdict::Leave => progress.probed(cell, &phase.to_string(), "recorded earlier"),
                Verdict::Measure => open.push(phase),
                Verdict::Skip(reason) => {
                    let why = (SKIPPED, reason.as_str());
                    self.keep_unmeasured(cell, phase, why, *peaks, &started, rows)?;
                    progress.probed(cell, &phase.to_string(), &format!("{SKIPPED}: {reason}"));
                }
            }
        }
        let Some(peaks) = *peaks else {
            return Ok(());
        };
        if open.is_empty() {
            return Ok(());
        }
        let bench = Workbench {
            device: self.device,
            training: self.training,
            stop: &|| self.interrupt.requested(),
        };
        let mut measured = Vec::new();
        let mut broken = None;
        let ended = caught(|| {
            bench.measure(cell, &open, |phase, timed| {
                let row = self
                    .circumstances
                    .measured(cell, phase, &timed, peaks, &started);
                let row = match row {
                    Ok(row) => row,
                    Err(error) => {
                        broken = Some(error);
                        return Err(Failure::Interrupted);
                    }
                };
                self.records.write(&row.run, std::slice::from_ref(&row))?;
                let outcome = format!(
                    "{} tokens/s, {} FLOP/s",
                    count(row.tokens_per_s),
                    count(row.flop_per_s)
                );
                progress.probed(cell, &phase.to_string(), &outcome);
                measured.push(phase);
                rows.insert(row.run.clone(), row);
                Ok(())
            })
        });
        if let Some(error) = broken {
            return Err(error.into());
        }
        match ended {
            Ok(()) => Ok(()),
            Err(Failure::Interrupted) => Err(Stopped::Interrupted),
            Err(Failure::Records(error)) => Err(Error::from(error).into()),
            Err(Failure::Failed(reason)) => {
                for phase in open.into_iter().filter(|phase| !measured.contains(phase)) {
                    let why = (FAILED, reason.as_str());
                    self.keep_unmeasured(cell, phase, why, Some(peaks), &started, rows)?;
                    progress.probed(cell, &phase.to_string(), &format!("{FAILED}: {reason}"));
                }
                Ok(())
            }
        }
    }

    fn keep_unmeasured(
        &self,
        cell: &Cell,
        phase: Phase,
        why: (&str, &str),
        peaks: Option<Peaks>,
        started: &str,
        rows: &mut HashMap<String, ProbeRow>,
    ) -> Result<(), Error> {
        let row = self
            .circumstances
            .unmeasured(cell, phase, why, peaks, started)?;
        self.records.write(&row.run, std::slice::from_ref(&row))?;
        rows.insert(row.run.clone(), row);
        Ok(())
    }

    fn by_memory(&self, row: Option<&ProbeRow>, need: Bytes, usable: Bytes) -> Verdict {
        let status = row.map(|row| row.status.as_str());
        let fits = need <= usable;
        match status {
            Some(FINISHED) if !self.again => Verdict::Leave,
            // It did not fit and does not now; what has come to fit is measured.
            Some(SKIPPED) if !fits && !self.again => Verdict::Leave,
            // A measurement from a time of more memory is worth more than a refusal.
            Some(FINISHED) if !fits => Verdict::Leave,
            _ if !fits => Verdict::Skip(self.memory.refusal(need, usable)),
            _ => Verdict::Measure,
        }
    }

    /// Seconds of building a cell and of the fewest passes, at a guess.
    fn expected(&self, cell: &Cell, need: Bytes, peaks: Peaks) -> f64 {
        let flops: Flops = 3 * cell.cost().training() * self.circumstances.tokens as Flops;
        let (flops, bytes) = (flops as f64, 3.0 * need as f64);
        (flops / peaks.flop_per_s + bytes / peaks.bytes_per_s) / EXPECTED_SHARE
    }

    fn left(&self) -> f64 {
        let left = self.budget.saturating_sub(self.begun.elapsed());
        left.as_secs_f64()
    }
}

/// What the budget leaves does not hold what a cell is expected to take.
fn by_time(expected: f64, left: f64) -> Verdict {
    if expected <= left {
        return Verdict::Measure;
    }
    Verdict::Skip(format!(
        "the budget of time has {} left, and it may take {}; raise --budget",
        duration(left),
        duration(expected)
    ))
}

/// Why no further cell is looked at.
enum Stopped {
    Interrupted,
    Error(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_that_may_outlast_the_budget_is_skipped_with_the_numbers() {
        assert_eq!(by_time(5.0, 5.0), Verdict::Measure);
        assert_eq!(
            by_time(80.0, 5.0),
            Verdict::Skip(
                "the budget of time has 5 s left, and it may take 1 min 20 s; raise --budget"
                    .to_owned()
            )
        );
    }
}
