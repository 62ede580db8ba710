//! The number of devices that a run requires, and the distribution of its memory over them.
//!
//! Tables are split by columns, as in the memory parallelism of "Memory Layers at Scale": every device
//! stores a range of columns of all rows, with the gradient and the moments of that range. The dense part follows one
//! of two layouts:
//!
//! ```text
//! replicated:  dense + step      + largest range of columns <= memory of a device
//! sharded   : (dense + step) / n + largest range of columns <= memory of a device
//! ```
//!
//! `dense` is weights and optimizer, `step` the gradients and activations at the peak. Entries of table gradients are split as
//! the tables are. The layout is replicated if some number of devices is sufficient for it, otherwise
//! sharded, and `n` is the smallest sufficient number. Further devices divide the batch: they reduce time, not memory.

use std::fmt;

use architectures::TableSpec;

use crate::memory_need::{Bytes, MemoryNeed};

/// Distribution of the dense part over devices.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A copy on each device.
    Replicated,
    /// Split evenly, together with the activations.
    Sharded,
}

impl fmt::Display for Layout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Replicated => "replicated",
            Self::Sharded => "sharded",
        })
    }
}

/// The smallest number of devices whose memory is sufficient for a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// Number of devices.
    pub count: u64,
    /// Distribution of the dense part.
    pub layout: Layout,
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

/// The smallest number of devices with `memory` bytes each that is sufficient for `need`, with the columns of each of `tables` distributed over all devices. `None` if no number of devices is
/// sufficient, since a table has at most one part per column.
pub fn min_devices(need: &MemoryNeed, tables: &[TableSpec], memory: Bytes) -> Option<Devices> {
    let shape = |table: &TableSpec| (table.rows as u64, table.width as u64);
    let tables: Vec<TableShape> = tables.iter().map(shape).collect();
    [Layout::Replicated, Layout::Sharded]
        .into_iter()
        .find_map(|layout| min_devices_in(need, &tables, memory, layout))
}

fn min_devices_in(
    need: &MemoryNeed,
    tables: &[TableShape],
    memory: Bytes,
    layout: Layout,
) -> Option<Devices> {
    let width = tables.iter().map(|(_, width)| *width).max();
    let elements: u64 = tables.iter().map(|(rows, width)| rows * width).sum();
    let max_bytes_at = |count: u64| {
        let state = need.weights.saturating_add(need.optimizer);
        let dense = state.saturating_add(need.step_without_entries);
        let dense = match layout {
            Layout::Replicated => dense,
            Layout::Sharded => dense.div_ceil(count),
        };
        let columns = width.map(|width| Columns {
            width,
            devices: count,
            is_even: tables.iter().all(|(_, width)| width.is_multiple_of(count)),
        });
        let of_table = |(rows, width): &TableShape| rows * width.div_ceil(count);
        let split = u128::from(need.table.saturating_add(need.table_gradient));
        let largest_part = u128::from(tables.iter().map(of_table).sum::<u64>());
        let table = (split * largest_part).div_ceil(u128::from(elements.max(1)));
        let table = u64::try_from(table).unwrap_or(u64::MAX);
        (dense.saturating_add(table), columns)
    };
    // Upper bound: one column per device, or, without a table, the total divided by the memory of a device.
    let max = width.unwrap_or(need.total().div_ceil(memory.max(1))).max(1);
    if max_bytes_at(max).0 > memory {
        return None;
    }
    let (mut low, mut high) = (1, max);
    while low < high {
        let middle = low + (high - low) / 2;
        if max_bytes_at(middle).0 <= memory {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let (max_bytes, columns) = max_bytes_at(low);
    Some(Devices {
        count: low,
        layout,
        columns,
        max_bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn need(dense: u64, table: u64, activations: u64) -> MemoryNeed {
        MemoryNeed {
            weights: dense,
            gradients: 0,
            optimizer: 0,
            table,
            table_gradient: 0,
            activations,
            step: activations,
            step_without_entries: activations,
        }
    }

    /// One row, so that the bytes of a table are divided by its columns.
    fn of_width(width: usize) -> TableSpec {
        TableSpec::new("values", 1, width)
    }

    #[test]
    fn tables_of_different_widths_are_all_split() {
        // 30 columns of rows of one byte: six of the narrow and nine of the wide table on each of two devices.
        let tables = [of_width(12), of_width(18)];
        let devices = min_devices(&need(10, 30, 0), &tables, 25).unwrap();
        let columns = devices.columns.unwrap();
        assert_eq!((devices.count, devices.max_bytes), (2, 25));
        assert_eq!((columns.width, columns.is_even), (18, true));
        let devices = min_devices(&need(10, 30, 0), &tables, 19).unwrap();
        // Four devices have three and five of them at most.
        assert_eq!((devices.count, devices.max_bytes), (4, 18));
        assert!(!devices.columns.unwrap().is_even);
    }

    #[test]
    fn one_device_is_used_if_its_memory_is_sufficient() {
        let devices = min_devices(&need(50, 0, 50), &[], 100).unwrap();
        assert_eq!((devices.count, devices.layout), (1, Layout::Replicated));
        assert_eq!((devices.columns, devices.max_bytes), (None, 100));
    }

    #[test]
    fn columns_are_split_if_a_device_can_store_the_dense_part() {
        // 40 of 100 bytes remain for ten columns of eight bytes: at most five per device.
        let devices = min_devices(&need(50, 80, 10), &[of_width(10)], 100).unwrap();
        assert_eq!((devices.count, devices.layout), (2, Layout::Replicated));
        let columns = devices.columns.unwrap();
        assert_eq!(
            (columns.to_string().as_str(), columns.is_even),
            ("2x5", true)
        );
        // At most three columns per device: four devices, two of them with two columns.
        let devices = min_devices(&need(60, 80, 10), &[of_width(10)], 100).unwrap();
        let columns = devices.columns.unwrap();
        assert_eq!(columns.to_string(), "2x3 + 2x2");
        assert_eq!((columns.is_even, devices.max_bytes), (false, 94));
    }

    #[test]
    fn a_dense_part_larger_than_a_device_is_sharded() {
        let devices = min_devices(&need(250, 0, 30), &[], 100).unwrap();
        assert_eq!((devices.count, devices.layout), (3, Layout::Sharded));
        let devices = min_devices(&need(250, 80, 30), &[of_width(10)], 100).unwrap();
        assert_eq!((devices.count, devices.layout), (4, Layout::Sharded));
    }

    #[test]
    fn no_number_of_devices_is_sufficient_for_a_column_larger_than_a_device() {
        assert_eq!(min_devices(&need(1, 2000, 1), &[of_width(10)], 100), None);
        assert_eq!(min_devices(&need(1, 0, 0), &[], 0), None);
    }

    #[test]
    fn no_smaller_number_of_devices_is_sufficient() {
        for dense in [0, 30, 99, 120, 500] {
            for table in [0, 64, 640, 6400] {
                let need = need(dense, table, 5);
                let Some(found) = min_devices(&need, &[of_width(64)], 100) else {
                    continue;
                };
                assert!(found.max_bytes <= 100);
                for fewer in 1..found.count {
                    let dense = match found.layout {
                        Layout::Replicated => dense + 5,
                        Layout::Sharded => (dense + 5).div_ceil(fewer),
                    };
                    assert!(dense + table / 64 * 64u64.div_ceil(fewer) > 100);
                }
            }
        }
    }
}
