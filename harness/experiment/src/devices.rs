//! The number of devices that a run requires, and the distribution of its memory over them.
//!
//! What this program distributes: batches, by data parallelism; tables, of which every device stores a range of columns of all
//! rows with the moments of that range, as in the memory parallelism of "Memory Layers at Scale"; and the moments
//! of the dense parameters, with `zero_stage` 2 also their gradients. Dense weights are whole on every device. On each of `n` devices:
//!
//! ```text
//! weights + moments / n + tables / n + step of its part of the batch
//! ```
//!
//! The step is that of [`MemoryNeed`] with `n` ranks. Entries of table gradients are divided as the tables are; their ids and weights, which
//! every device has of the tokens of all, are counted as if they were divided too. The number of devices divides the batch and the width of
//! every table, as training on several ranks requires.

use std::fmt;

use architectures::{ConfigError, TableSpec};

use crate::memory_need::{Bytes, Formats, MemoryNeed};
use crate::plan::Run;
use crate::training::Division;

/// The smallest number of devices whose memory is sufficient for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// Number of devices.
    pub count: u64,
    /// Distribution of the columns of the widest table; `None` if the model has no table.
    pub columns: Option<Columns>,
    /// Bytes on the device with the most.
    pub max_bytes: Bytes,
}

/// Distribution of the columns of every table over devices, equally many on each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Number of columns of the widest table.
    pub width: u64,
    /// Number of devices.
    pub devices: u64,
}

/// `8x256`; `whole` on one device.
impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.devices {
            1 => f.write_str("whole"),
            devices => write!(f, "{devices}x{}", self.width / devices),
        }
    }
}

/// A run on several devices, with its batches divided in one way.
pub struct Distributed<'a> {
    run: &'a Run,
    formats: Formats,
    division: Division,
    tables: Vec<TableSpec>,
}

impl<'a> Distributed<'a> {
    /// `run` with `division` of the whole batch.
    ///
    /// # Errors
    /// If the model's configuration is invalid.
    pub fn new(run: &'a Run, formats: Formats, division: Division) -> Result<Self, ConfigError> {
        Ok(Self {
            run,
            formats,
            division,
            tables: run.model.tables()?,
        })
    }

    /// The numbers of devices that divide the batch and the width of every table, in order.
    fn counts(&self) -> impl Iterator<Item = u64> {
        let sequences = self.run.training.batch_size;
        let tables = &self.tables;
        let divides = move |count: &usize| {
            let mut widths = tables.iter().map(|table| table.width);
            sequences.is_multiple_of(*count) && widths.all(|width| width.is_multiple_of(*count))
        };
        (1..=sequences).filter(divides).map(|count| count as u64)
    }

    /// Bytes of the fullest of `count` devices.
    ///
    /// # Errors
    /// If the model's configuration is invalid.
    pub fn max_bytes(&self, count: u64) -> Result<Bytes, ConfigError> {
        let division = self.division.on_ranks(count as usize);
        let need = MemoryNeed::divided(self.run, self.formats, division)?;
        let parts = [
            need.optimizer.div_ceil(count),
            need.table.div_ceil(count),
            need.step,
        ];
        Ok(parts.into_iter().fold(need.weights, Bytes::saturating_add))
    }

    /// The smallest number of devices with `memory` bytes each that is sufficient; `None` if no number is.
    ///
    /// # Errors
    /// If the model's configuration is invalid.
    pub fn min_devices(&self, memory: Bytes) -> Result<Option<Devices>, ConfigError> {
        let width = self.tables.iter().map(|table| table.width as u64).max();
        for count in self.counts() {
            let max_bytes = self.max_bytes(count)?;
            if max_bytes <= memory {
                let columns = |width| Columns {
                    width,
                    devices: count,
                };
                return Ok(Some(Devices {
                    count,
                    columns: width.map(columns),
                    max_bytes,
                }));
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::sweep_file::Sweep;

    fn plan() -> Plan {
        Plan::new(Sweep::parse("f.toml", crate::testing::SWEEP).unwrap()).unwrap()
    }

    fn distributed(run: &Run) -> Distributed<'_> {
        Distributed::new(run, Formats::of(run, None), Division::of(&run.training)).unwrap()
    }

    #[test]
    fn columns_are_written_by_their_counts() {
        let columns = |width, devices| Columns { width, devices }.to_string();
        assert_eq!(columns(10, 1), "whole");
        assert_eq!(columns(10, 2), "2x5");
    }

    #[test]
    fn one_device_has_the_memory_of_the_run() {
        let plan = plan();
        for run in &plan.runs {
            let need = MemoryNeed::of(run, Formats::of(run, None)).unwrap().total();
            assert_eq!(distributed(run).max_bytes(1).unwrap(), need);
            let devices = distributed(run).min_devices(need).unwrap().unwrap();
            assert_eq!((devices.count, devices.max_bytes), (1, need));
        }
    }

    #[test]
    fn moments_tables_and_batches_are_divided_and_weights_and_gradients_are_not() {
        let plan = plan();
        let run = &plan.runs[1];
        let (dense, table) = (run.cost.params_dense, run.cost.params_table);
        let whole = MemoryNeed::of(run, Formats::of(run, None)).unwrap();
        let on_four = MemoryNeed::divided(
            run,
            Formats::of(run, None),
            Division::of(&run.training).on_ranks(4),
        )
        .unwrap();
        let distributed = distributed(run);
        // Four sequences in a batch: the step of one.
        assert!(on_four.step < whole.step && on_four.step > 4 * dense);
        assert_eq!(
            distributed.max_bytes(4).unwrap(),
            4 * dense + 2 * dense + 3 * table + on_four.step
        );
        let devices = distributed.min_devices(distributed.max_bytes(4).unwrap());
        let devices = devices.unwrap().unwrap();
        let columns = devices.columns.unwrap();
        assert_eq!((devices.count, columns.width), (4, 16));
        // There are no more devices than sequences.
        let least = distributed.max_bytes(4).unwrap() - 1;
        assert_eq!(distributed.min_devices(least).unwrap(), None);
    }
}
