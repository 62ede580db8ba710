//! How many devices a run needs, and how they share its memory.
//!
//! The table is split by columns, as the paper's memory parallel has it (section 4): every device holds all rows, and
//! of each row its own part, with the gradient and the moments of that part. The dense part follows one of two rules:
//!
//! ```text
//! replicated:  dense + sequence + widest share of columns <= memory of a device
//! sharded   : (dense + sequence) / n + widest share of columns <= memory of a device
//! ```
//!
//! `dense` is weights, gradients and optimizer, `sequence` the activations of one sequence: the rest of a batch is
//! accumulated. Replicated wherever some number of devices can do it, else sharded; the smallest `n` of the rule. More
//! devices than these divide the batch and save time, not memory.

use std::fmt;

use crate::memory_need::{Bytes, MemoryNeed};

/// Where the dense part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Whole on each device.
    Replicated,
    /// In even parts, one sequence's activations with it.
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

/// The fewest devices that hold a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Devices {
    /// How many.
    pub count: u64,
    /// Where the dense part is.
    pub layout: Layout,
    /// Who holds how many columns; none where there is no table.
    pub columns: Option<Columns>,
    /// What the fullest device holds.
    pub fullest: Bytes,
}

/// A table's columns among devices, as evenly as whole columns go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Columns {
    /// All of them.
    pub width: u64,
    /// Among how many devices.
    pub devices: u64,
}

impl Columns {
    /// Of the devices that hold most.
    pub fn widest(self) -> u64 {
        self.width.div_ceil(self.devices)
    }

    /// Whether all devices hold equally many.
    pub fn divides(self) -> bool {
        self.width.is_multiple_of(self.devices)
    }
}

/// `8x256`, or `7x158 + 6x157` where it does not divide; `whole` on one device.
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

/// The fewest devices of `memory` bytes that hold `need`, which is of one sequence; its table is `width` columns wide.
/// None where even a single column, or no part of the dense weights, fits beside the rest.
pub fn fewest(need: &MemoryNeed, width: Option<usize>, memory: Bytes) -> Option<Devices> {
    let width = width.map(|width| width as u64).filter(|_| need.table > 0);
    [Layout::Replicated, Layout::Sharded]
        .into_iter()
        .find_map(|layout| fewest_of(need, width, memory, layout))
}

fn fewest_of(
    need: &MemoryNeed,
    width: Option<u64>,
    memory: Bytes,
    layout: Layout,
) -> Option<Devices> {
    let fullest_at = |count: u64| {
        let dense = need.dense() + need.activations;
        let dense = match layout {
            Layout::Replicated => dense,
            Layout::Sharded => dense.div_ceil(count),
        };
        let columns = width.map(|width| Columns {
            width,
            devices: count,
        });
        let table = columns.map_or(0, |columns| need.table / columns.width * columns.widest());
        (dense + table, columns)
    };
    // Without a table, as many as there are bytes to divide; with one, a column each.
    let most = width.unwrap_or(need.total().div_ceil(memory.max(1))).max(1);
    if fullest_at(most).0 > memory {
        return None;
    }
    let (mut low, mut high) = (1, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if fullest_at(middle).0 <= memory {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    let (fullest, columns) = fullest_at(low);
    Some(Devices {
        count: low,
        layout,
        columns,
        fullest,
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
            activations,
        }
    }

    #[test]
    fn what_fits_takes_one_device() {
        let devices = fewest(&need(50, 0, 50), None, 100).unwrap();
        assert_eq!((devices.count, devices.layout), (1, Layout::Replicated));
        assert_eq!((devices.columns, devices.fullest), (None, 100));
    }

    #[test]
    fn columns_are_split_where_the_dense_part_fits() {
        // 40 of 100 bytes are left for the table: ten columns of eight bytes, at most five to a device.
        let devices = fewest(&need(50, 80, 10), Some(10), 100).unwrap();
        assert_eq!((devices.count, devices.layout), (2, Layout::Replicated));
        let columns = devices.columns.unwrap();
        assert_eq!(
            (columns.to_string().as_str(), columns.divides()),
            ("2x5", true)
        );
        // At most three: four devices, of which two hold two.
        let devices = fewest(&need(60, 80, 10), Some(10), 100).unwrap();
        let columns = devices.columns.unwrap();
        assert_eq!(columns.to_string(), "2x3 + 2x2");
        assert_eq!((columns.divides(), devices.fullest), (false, 94));
    }

    #[test]
    fn what_no_device_holds_alone_is_sharded() {
        let devices = fewest(&need(250, 0, 30), None, 100).unwrap();
        assert_eq!((devices.count, devices.layout), (3, Layout::Sharded));
        let devices = fewest(&need(250, 80, 30), Some(10), 100).unwrap();
        assert_eq!((devices.count, devices.layout), (4, Layout::Sharded));
    }

    #[test]
    fn no_number_of_devices_is_enough_for_a_column_that_fits_on_none() {
        assert_eq!(fewest(&need(1, 2000, 1), Some(10), 100), None);
        assert_eq!(fewest(&need(1, 0, 0), None, 0), None);
    }

    #[test]
    fn the_count_is_the_smallest() {
        for dense in [0, 30, 99, 120, 500] {
            for table in [0, 64, 640, 6400] {
                let need = need(dense, table, 5);
                let Some(found) = fewest(&need, Some(64), 100) else {
                    continue;
                };
                assert!(found.fullest <= 100);
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
