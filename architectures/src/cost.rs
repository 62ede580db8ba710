//! Cost of one token, by formula.
//!
//! Conventions, recorded with every count ([`FLOP_CONVENTION`]): one multiply-add is two FLOPs; norms,
//! softmax, top-k and element-wise work are not counted; causal attention counts half the context, its average; training is
//! three times the forward pass; the input embedding has no FLOPs. Bytes are those of table rows gathered in one
//! forward pass, at the element size of the table.

use std::ops::{Add, AddAssign};

/// FLOPs, as a count.
pub type Flops = u64;

/// The convention by which every FLOP in a record was counted.
pub const FLOP_CONVENTION: &str = "multiply-add = 2; matmul + causal attention (half context) + table lookup; \
     norms, softmax and top-k not counted; training = 3 x forward";

/// Bytes of one table element: tables are kept in f32.
pub const TABLE_ELEMENT_BYTES: u64 = 4;

/// Parameters and, per token of one forward pass, FLOPs and gathered bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// Parameters with a dense gradient.
    pub params_dense: u64,
    /// Parameters of value tables, read and updated by row.
    pub params_table: u64,
    /// Parameters that one token uses: dense ones without those of unselected experts, and the table rows it reads.
    pub params_active: u64,
    /// Matrix products with weights.
    pub matmul: Flops,
    /// Attention scores and their weighted values.
    pub attention: Flops,
    /// Weighted sums over gathered table rows.
    pub lookup: Flops,
    /// Table bytes read.
    pub bytes_gathered: u64,
}

impl Cost {
    /// A weight matrix `[inputs, outputs]` that every token is multiplied with.
    pub fn matrix(inputs: usize, outputs: usize) -> Self {
        let params = (inputs * outputs) as u64;
        Self {
            params_dense: params,
            params_active: params,
            matmul: 2 * params,
            ..Self::default()
        }
    }

    /// Parameters without counted FLOPs: biases, gains.
    pub fn vector(len: usize) -> Self {
        Self {
            params_dense: len as u64,
            params_active: len as u64,
            ..Self::default()
        }
    }

    /// `rows` rows of `width` gathered from a table and summed with weights.
    pub fn gather(rows: usize, width: usize) -> Self {
        let read = (rows * width) as u64;
        Self {
            params_active: read,
            lookup: 2 * read,
            bytes_gathered: read * TABLE_ELEMENT_BYTES,
            ..Self::default()
        }
    }

    /// `rows` rows of `width` copied from a table.
    pub fn copy(rows: usize, width: usize) -> Self {
        Self {
            lookup: 0,
            ..Self::gather(rows, width)
        }
    }

    /// A table of `rows` rows of `width`, without its reads.
    pub fn table(rows: usize, width: usize) -> Self {
        Self {
            params_table: (rows * width) as u64,
            ..Self::default()
        }
    }

    /// `n` times the cost.
    pub fn times(self, n: usize) -> Self {
        let n = n as u64;
        Self {
            params_dense: self.params_dense * n,
            params_table: self.params_table * n,
            params_active: self.params_active * n,
            matmul: self.matmul * n,
            attention: self.attention * n,
            lookup: self.lookup * n,
            bytes_gathered: self.bytes_gathered * n,
        }
    }

    /// All parameters.
    pub fn params(&self) -> u64 {
        self.params_dense + self.params_table
    }

    /// FLOPs of one token's forward pass.
    pub fn forward(&self) -> Flops {
        self.matmul + self.attention + self.lookup
    }

    /// FLOPs of training on one token: forward once, backward twice that.
    pub fn training(&self) -> Flops {
        3 * self.forward()
    }
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self {
            params_dense: self.params_dense + other.params_dense,
            params_table: self.params_table + other.params_table,
            params_active: self.params_active + other.params_active,
            matmul: self.matmul + other.matmul,
            attention: self.attention + other.attention,
            lookup: self.lookup + other.lookup,
            bytes_gathered: self.bytes_gathered + other.bytes_gathered,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}
