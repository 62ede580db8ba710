//! Exchange of bytes between ranks in host memory.

pub mod threads;

use std::fmt::Debug;

/// Two exchanges of bytes, of which [`crate::OverHost`] composes its operations.
///
/// # Panics
///
/// Both, if another rank has ended or has called the other one, or with another length.
pub trait Transport: Debug + Send + Sync {
    /// The number of this rank, from zero.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn ranks(&self) -> usize;

    /// `own` of all ranks, of one length, in the order of the ranks.
    fn all_gather(&self, own: &[u8]) -> Vec<u8>;

    /// Part `r` of the result is the part of this rank of what rank `r` gave; `parts` are `ranks` parts of one length.
    fn all_to_all(&self, parts: &[u8]) -> Vec<u8>;
}
