//! Collective operations between the ranks that train one model.
//!
//! A rank is a process with one device. Every rank calls the same operations in the same order with tensors of the same
//! length; an operation returns when all ranks have called it. [`Collectives`] is the interface; [`OneRank`] is a run on one
//! device, and [`OverHost`] exchanges copies of the tensors in host memory by a [`Transport`].
//!
//! ```text
//! n ranks, rank r holds x_r        result on rank r                            bytes that a rank sends
//! all_reduce      x_r [m]          sum_s x_s                                   2 (n - 1) / n of its tensor
//! reduce_scatter  x_r [n m]        sum_s x_s[r m .. (r + 1) m]                   (n - 1) / n
//! all_gather      x_r [m]          x_0, x_1, ..                                   n - 1 times
//! all_to_all      x_r [n m]        x_0[r m ..], x_1[r m ..], ..  (m each)        (n - 1) / n
//! ```
//!
//! Sums are in f32 and in the order of the ranks, `((x_0 + x_1) + x_2) + ..`, so that they have the same bits on every rank and
//! in every run.
//!
//! ```
//! use burn::tensor::{Device, Tensor};
//! use collectives::{Collectives, thread_ranks};
//!
//! let sums = thread_ranks(3, |ranks| {
//!     let own = [ranks.rank() as f32, 1.0];
//!     let sum = ranks.all_reduce(Tensor::<1>::from_data(own, &Device::flex()));
//!     sum.into_data().iter::<f32>().collect::<Vec<_>>()
//! });
//! assert_eq!(sums, [[3.0, 3.0], [3.0, 3.0], [3.0, 3.0]]);
//! ```

mod launch;
#[cfg(feature = "nccl")]
pub mod nccl;
mod one_rank;
mod over_host;
mod traffic;
mod transport;

use std::fmt::Debug;

use burn::tensor::{Int, Tensor};

pub use launch::{LaunchError, Launched, ranks_of_environment};
pub use one_rank::OneRank;
pub use over_host::OverHost;
pub use traffic::Traffic;
#[cfg(feature = "mpi")]
pub use transport::mpi::MpiTransport;
pub use transport::threads::{ThreadTransport, thread_ranks};
pub use transport::{Operation, Transport};

/// The collective operations of one rank. Tensors are without autodiff.
///
/// # Panics
///
/// Every operation, if another rank has ended or has called another operation: the ranks can then not continue.
pub trait Collectives: Debug + Send + Sync {
    /// The number of this rank, from zero.
    fn rank(&self) -> usize;

    /// The number of ranks.
    fn ranks(&self) -> usize;

    /// The sum of `values [m]` over ranks, `[m]`.
    fn all_reduce(&self, values: Tensor<1>) -> Tensor<1>;

    /// The part of this rank of the sum of `values [ranks * m]` over ranks, `[m]`.
    fn reduce_scatter(&self, values: Tensor<1>) -> Tensor<1>;

    /// `values [m]` of all ranks, in their order, `[ranks * m]`; in the numeric format of the tensor.
    fn all_gather(&self, values: Tensor<1>) -> Tensor<1>;

    /// As [`Collectives::all_gather`], of integers.
    fn all_gather_int(&self, values: Tensor<1, Int>) -> Tensor<1, Int>;

    /// Part `r` of the result is the part of this rank of the `values [ranks * m]` of rank `r`; in the numeric format of the
    /// tensor.
    fn all_to_all(&self, values: Tensor<1>) -> Tensor<1>;

    /// `bytes` of all ranks, in their order: for host data of few bytes, of any length.
    fn all_gather_bytes(&self, bytes: &[u8]) -> Vec<Vec<u8>>;

    /// Ends all ranks, without waiting for them: for an error of one rank alone, after its message is printed. Between processes,
    /// those of the other ranks are ended; within one, it panics.
    fn abort(&self) -> !;

    /// What this rank has sent so far, and how long its operations took.
    fn traffic(&self) -> Traffic;
}
