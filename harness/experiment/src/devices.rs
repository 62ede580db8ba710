//! The number of devices that a run requires, and the distribution of its memory over them.
//!
//! What this program distributes: batches, by data parallelism; tables, of which every device stores a range of columns of all
//! rows with the moments of that range, as in the memory parallelism of "Memory Layers at Scale"; and the moments
//! of the dense parameters. Dense weights and gradients are whole on every device. On each of `n` devices:
//!
//! ```text
//! weights + gradients + moments / n + largest range of columns + activations of its part of the batch
//! ```
//!
//! The activations are those of one part as the run is configured, divided by `n`, and at least those of one sequence.

use std::fmt;

use architectures::TableSpec;

use crate::memory_need::{Bytes, MemoryNeed};

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

/// Distribution of the columns of every table over devices; numbers of columns of a table differ by at most one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Number of columns of the widest table.
    pub width: u64,
    /// Number of devices.
    pub devices: u64,
    /// Whether all devices have the same number of columns of every table.
    pub is_even: bool,
}

/// Rows and width of a table.
type TableShape = (u64, u64);

/// `8x256`, or `7x158 + 6x157` if the distribution is uneven; `whole` on one device.
impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (even, more) = (self.width / self.devices, self.width % self.devices);
        match (self.devices, more) {
            (1, _) => f.write_str("whole"),
            (devices, 0) => write!(f, "{devices}x{even}"),
            (devices, more) => write!(f, "{more}x{} + {}x{even}", even + 1, devices - more),
        }
    }
}

/// The memory of a run and what it can be divided by.
#[derive(Clone, Debug)]
pub struct Divided {
    need: MemoryNeed,
    of_sequence: Bytes,
    tables: Vec<TableShape>,
    max_count: u64,
}

impl Divided {
    /// A run of batches of `sequences` sequences whose memory on one device is `need`, with activations of `of_sequence` bytes
    /// for one sequence.
    pub fn new(
        need: MemoryNeed,
        of_sequence: Bytes,
        tables: &[TableSpec],
        sequences: usize,
    ) -> Self {
        let shape = |table: &TableSpec| (table.rows as u64, table.width as u64);
        let tables: Vec<TableShape> = tables.iter().map(shape).collect();
        // A device has a column of the widest table and a sequence of the batch at least.
        let width = tables.iter().map(|(_, width)| *width).max();
        let max_count = width.unwrap_or(u64::MAX).min(sequences as u64).max(1);
        Self {
            need,
            of_sequence,
            tables,
            max_count,
        }
    }

    /// Bytes of the fullest of `count` devices.
    pub fn max_bytes(&self, count: u64) -> Bytes {
        let need = &self.need;
        let elements: u64 = self.tables.iter().map(|(rows, width)| rows * width).sum();
        let of_table = |(rows, width): &TableShape| rows * width.div_ceil(count);
        let table = match elements {
            0 => 0,
            _ => need.table / elements * self.tables.iter().map(of_table).sum::<u64>(),
        };
        let activations = need.activations.div_ceil(count).max(self.of_sequence);
        [
            need.gradients,
            need.optimizer.div_ceil(count),
            table,
            activations,
        ]
        .into_iter()
        .fold(need.weights, Bytes::saturating_add)
    }

    /// The smallest number of devices with `memory` bytes each that is sufficient; `None` if no number is.
    pub fn min_devices(&self, memory: Bytes) -> Option<Devices> {
        if self.max_bytes(self.max_count) > memory {
            return None;
        }
        let (mut low, mut high) = (1, self.max_count);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.max_bytes(middle) <= memory {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        let width = self.tables.iter().map(|(_, width)| *width).max();
        Some(Devices {
            count: low,
            columns: width.map(|width| Columns {
                width,
                devices: low,
                is_even: self
                    .tables
                    .iter()
                    .all(|(_, width)| width.is_multiple_of(low)),
            }),
            max_bytes: self.max_bytes(low),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A run of 100 sequences whose activations are all those of one.
    fn divided(dense: u64, moments: u64, widths: &[usize], of_sequence: u64) -> Divided {
        let need = MemoryNeed {
            weights: dense,
            gradients: 0,
            optimizer: moments,
            // One byte for a column of one row.
            table: widths.iter().sum::<usize>() as u64,
            activations: of_sequence,
        };
        let tables: Vec<TableSpec> = widths
            .iter()
            .map(|width| TableSpec::new("values", 1, *width))
            .collect();
        Divided::new(need, of_sequence, &tables, 100)
    }

    #[test]
    fn tables_of_different_widths_are_all_split() {
        // Six of the narrow and nine of the wide table's columns on each of two devices.
        let devices = divided(10, 0, &[12, 18], 0).min_devices(25).unwrap();
        let columns = devices.columns.unwrap();
        assert_eq!((devices.count, devices.max_bytes), (2, 25));
        assert_eq!((columns.width, columns.is_even), (18, true));
        let devices = divided(10, 0, &[12, 18], 0).min_devices(19).unwrap();
        // Four devices have three and five of them at most.
        assert_eq!((devices.count, devices.max_bytes), (4, 18));
        assert!(!devices.columns.unwrap().is_even);
        let devices = divided(60, 0, &[10], 32).min_devices(95).unwrap();
        assert_eq!(devices.columns.unwrap().to_string(), "2x3 + 2x2");
    }

    #[test]
    fn one_device_is_used_if_its_memory_is_sufficient() {
        let devices = divided(30, 20, &[], 50).min_devices(100).unwrap();
        assert_eq!((devices.count, devices.columns), (1, None));
        assert_eq!(devices.max_bytes, 100);
    }

    #[test]
    fn moments_are_divided_and_weights_are_not() {
        let run = divided(50, 200, &[], 10);
        assert_eq!(run.min_devices(100).unwrap().count, 5);
        assert_eq!(run.max_bytes(5), 50 + 40 + 10);
        // Without a share of the moments 60 bytes are left, which are whole on every device.
        assert_eq!(run.min_devices(60), None);
        assert_eq!(run.min_devices(62).unwrap().count, 100);
    }

    #[test]
    fn a_batch_is_divided_to_one_sequence_for_each_device() {
        let need = MemoryNeed {
            weights: 10,
            gradients: 0,
            optimizer: 0,
            table: 0,
            activations: 400,
        };
        let run = Divided::new(need, 100, &[], 4);
        assert_eq!(run.min_devices(410).unwrap().count, 1);
        assert_eq!(run.min_devices(210).unwrap().count, 2);
        assert_eq!(run.min_devices(110).unwrap().count, 4);
        assert_eq!(run.min_devices(109), None);
    }

    #[test]
    fn no_smaller_number_of_devices_is_sufficient() {
        for moments in [0, 30, 99, 120, 500] {
            for width in [1, 64, 640] {
                let run = divided(40, moments, &[width], 5);
                match run.min_devices(100) {
                    Some(found) => {
                        assert!(found.max_bytes <= 100);
                        assert!((1..found.count).all(|fewer| run.max_bytes(fewer) > 100));
                    }
                    None => assert!(run.max_bytes(run.max_count) > 100),
                }
            }
        }
    }
}
