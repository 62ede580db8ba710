//! What the forward pass of one token leaves in memory, by formula.
//!
//! Counted is what Burn's autodiff stores for the backward pass of our operations: the inputs of products, norms, SwiGLU and
//! attention, factors of element-wise products, outputs of exponentials; not what an operation allocates and frees. A test
//! compares the memory of whole training steps (`harness/tests/step_memory.rs`).

use std::ops::{Add, AddAssign};

/// Numbers of 4 bytes that one token leaves in memory; an id, of 8 bytes, counts as two.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Activations {
    /// Kept until the backward pass.
    pub stored: u64,
    /// Entries of the gradients of value tables (ids, weights, rows), kept from the backward pass until the update.
    pub table_gradient: u64,
}

impl Activations {
    /// Numbers kept until the backward pass, of a part without tables.
    pub fn stored(count: usize) -> Self {
        Self {
            stored: count as u64,
            table_gradient: 0,
        }
    }

    /// With entries of a table's gradient: `ids` of them with a weight each, whose rows have `widths` numbers together.
    pub fn with_entries(self, ids: usize, weights: usize, widths: usize) -> Self {
        Self {
            table_gradient: self.table_gradient + (2 * ids + weights + widths) as u64,
            ..self
        }
    }
}

impl Add for Activations {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            stored: self.stored.saturating_add(other.stored),
            table_gradient: self.table_gradient.saturating_add(other.table_gradient),
        }
    }
}

impl AddAssign for Activations {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
