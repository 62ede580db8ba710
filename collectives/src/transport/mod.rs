//! Exchange of bytes between ranks in host memory.

#[cfg(feature = "mpi")]
pub mod mpi;
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

    /// Ends all ranks, without waiting for them.
    fn abort(&self) -> !;
}

/// An exchange, as ranks compare it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// [`Transport::all_gather`].
    AllGather = 1,
    /// [`Transport::all_to_all`].
    AllToAll = 2,
}

impl Operation {
    /// The name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::AllGather => "all_gather",
            Self::AllToAll => "all_to_all",
        }
    }

    /// The operation of a number that another rank sent.
    pub fn of_number(number: u64) -> Option<Self> {
        let all = [Self::AllGather, Self::AllToAll];
        all.into_iter()
            .find(|operation| *operation as u64 == number)
    }
}
