//! What collective operations cost.

use std::time::Duration;

/// Totals over the collective operations of one rank.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Number of exchanges with the other ranks; an all-reduce is two.
    pub exchanges: u64,
    /// Bytes sent to other ranks.
    pub bytes_sent: u64,
    /// Time in exchanges, waiting for slower ranks included.
    pub time: Duration,
}
