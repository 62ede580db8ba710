//! The loop over cells: what is missing and fits is measured, everything else is a row with its reason.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use architectures::Flops;
use burn::tensor::Device;
use results::{ProbeRow, Records};

use super::derived;
use super::grid::{Cell, ProbedModel};
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

/// Shares of the peaks that a cell is expected to reach, so as not to begin what the budget does not hold.
const EXPECTED_SHARE: f64 = 0.3;

/// What all cells of one command share.
pub struct Session<'a> {
    /// Where rows are read and written.
    pub records: &'a Records,
    /// What is alike for all rows.
    pub row_context: ProbeRowContext,
    /// Without autodiff.
    pub device: &'a Device,
    /// Memory that a part may use.
    pub memory: DeviceMemory,
    /// How long it may take.
    pub budget: Duration,
    /// When the command started.
    pub begun: Instant,
    /// Whether finished cells are measured again.
    pub again: bool,
    /// Optimizers and clipping of a step.
    pub training: &'a TrainingConfig,
    /// Whether Ctrl-C was pressed.
    pub interrupt: &'a Interrupt,
}

impl Session<'_> {
    /// Measures `cells`, derives `targets` from them and leaves a row for each; returns those rows too.
    pub fn run(
        &self,
        cells: &[Cell],
        (targets, all): (&[ProbedModel], &[ProbedModel]),
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
                Err(SessionError::Interrupted) => {
                    conclusion = Conclusion::Interrupted;
                    break;
                }
                Err(SessionError::Error(error)) => return Err(error),
            }
        }
        let mut recorded = Vec::new();
        for cell in cells {
            for phase in Phase::ALL {
                recorded.extend(rows.get(&self.row_context.id(cell, phase)?).cloned());
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

    fn cell(
        &self,
        cell: &Cell,
        rows: &mut HashMap<String, ProbeRow>,
        peaks: &mut Option<Peaks>,
        progress: &mut dyn Progress,
    ) -> Result<(), SessionError> {
        let started = clock::now();
        crate::process::allocator::give_back_freed_memory();
        let usable = self.memory.usable();
        let mut open = Vec::new();
        for phase in Phase::ALL {
            let row = rows.get(&self.row_context.id(cell, phase)?);
            let need = self.row_context.need(cell, phase);
            let status = row.map(|row| row.status.as_str());
            let memory_error = (need > usable).then(|| self.memory.shortage(need, usable));
            let mut decision = by_memory(status, memory_error, self.again);
            if decision == Decision::Measure {
                let peaks = *peaks.get_or_insert_with(|| {
                    progress.preparing("the device's peaks");
                    Peaks::measure(self.device, usable)
                });
                decision = by_time(self.expected(cell, need, peaks), self.left());
            }
            match decision {
                Decision::Keep => progress.probed(cell, &phase.to_string(), "recorded earlier"),
                Decision::Measure => open.push(phase),
                Decision::Skip(reason) => {
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
        let bench = PartTimer {
            device: self.device,
            training: self.training,
            stop: &|| self.interrupt.requested(),
        };
        let mut measured = Vec::new();
        let mut broken = None;
        let ended = catch_panic(|| {
            bench.measure(cell, &open, |phase, timed| {
                let row = self
                    .row_context
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
            Err(Failure::Interrupted) => Err(SessionError::Interrupted),
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

    /// Writes a row with the reason, unless a measurement is recorded, which is kept.
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
            .row_context
            .unmeasured(cell, phase, why, peaks, started)?;
        if rows.get(&row.run).is_some_and(|row| row.status == FINISHED) {
            return Ok(());
        }
        self.records.write(&row.run, std::slice::from_ref(&row))?;
        rows.insert(row.run.clone(), row);
        Ok(())
    }

    /// Seconds of building a cell and of the fewest passes, at a guess.
    fn expected(&self, cell: &Cell, need: Bytes, peaks: Peaks) -> f64 {
        let flops: Flops = 3 * cell.cost().training() * self.row_context.tokens as Flops;
        let (flops, bytes) = (flops as f64, 3.0 * need as f64);
        (flops / peaks.flop_per_s + bytes / peaks.bytes_per_s) / EXPECTED_SHARE
    }

    fn left(&self) -> f64 {
        let left = self.budget.saturating_sub(self.begun.elapsed());
        left.as_secs_f64()
    }
}

/// Why the session ended early.
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
mod tests {
    use super::*;
    use crate::probe::grid;
    use crate::record::provenance::Provenance;
    use crate::run::progress::Quiet;
    use architectures::Part;
    use experiment::plan::Plan;
    use experiment::sweep_file::Sweep;

    #[test]
    fn a_part_that_breaks_is_a_failed_row_and_the_next_is_measured() {
        let plan = Plan::new(Sweep::parse("f.toml", experiment::testing::SWEEP).unwrap()).unwrap();
        let all = grid::targets(&plan, 8).unwrap();
        let mut cells = grid::cells(&all[..1], &all, &|_| false);
        // A key without two halves, which the checks of a sweep file reject.
        let broken = r#"{"kind": "memory", "keys": {"n_keys": 4, "top_k": 4, "key_dim": 3}}"#;
        cells[0].part = Part::Block(serde_json::from_str(broken).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let records = Records::open(folder.path()).unwrap();
        let session = Session {
            records: &records,
            row_context: ProbeRowContext {
                sweep: "f".to_owned(),
                labels: Vec::new(),
                tokens: 8,
                provenance: Provenance::gather(),
                device: "flex".to_owned(),
                threads: 1,
            },
            device: &Device::flex(),
            memory: DeviceMemory::of(architectures::DeviceName::Flex, Some(64 << 20)).unwrap(),
            budget: Duration::from_secs(600),
            begun: Instant::now(),
            again: false,
            training: &plan.runs[0].training,
            interrupt: &Interrupt::default(),
        };
        let mut progress = Quiet;
        let (conclusion, rows) = session
            .run(&cells[..2], (&[], &all), &mut progress)
            .unwrap();
        assert_eq!(conclusion, Conclusion::SomeFailed);
        let states: Vec<_> = rows.iter().map(|row| row.status.as_str()).collect();
        assert_eq!(states, [FAILED, FAILED, FINISHED, FINISHED]);
        assert!(rows[0].reason.starts_with("panicked: "), "{:?}", rows[0]);
        assert_eq!(records.read::<ProbeRow>().unwrap().len(), 4);

        let hurried = Session {
            budget: Duration::ZERO,
            again: true,
            ..session
        };
        let (_, rows) = hurried
            .run(&cells[..2], (&[], &all), &mut progress)
            .unwrap();
        let states: Vec<_> = rows.iter().map(|row| row.status.as_str()).collect();
        assert_eq!(states, [SKIPPED, SKIPPED, FINISHED, FINISHED]);
    }
}
