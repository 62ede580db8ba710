//! A run on one device.

use std::sync::Arc;

use burn::tensor::{Int, Tensor};

use crate::{Collectives, Traffic};

/// The only rank: every operation returns its input.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OneRank;

impl OneRank {
    /// The only rank, where collective operations are shared.
    pub fn shared() -> Arc<dyn Collectives> {
        Arc::new(Self)
    }
}

impl Collectives for OneRank {
    fn rank(&self) -> usize {
        0
    }

    fn ranks(&self) -> usize {
        1
    }

    fn all_reduce(&self, values: Tensor<1>) -> Tensor<1> {
        values
    }

    fn reduce_scatter(&self, values: Tensor<1>) -> Tensor<1> {
        values
    }

    fn all_gather(&self, values: Tensor<1>) -> Tensor<1> {
        values
    }

    fn all_gather_int(&self, values: Tensor<1, Int>) -> Tensor<1, Int> {
        values
    }

    fn all_to_all(&self, values: Tensor<1>) -> Tensor<1> {
        values
    }

    fn all_gather_bytes(&self, bytes: &[u8]) -> Vec<Vec<u8>> {
        vec![bytes.to_vec()]
    }

    fn abort(&self) -> ! {
        panic!("the run ends")
    }

    fn traffic(&self) -> Traffic {
        Traffic::default()
    }
}
