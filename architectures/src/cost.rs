//! Cost of one token, by formula.
//!
//! Conventions, recorded with every count ([`FLOP_CONVENTION`]): one multiply-add is two FLOPs; norms,
//! softmax, top-k and element-wise work are not counted; causal attention counts half the context, its average; training is
//! three times the forward pass; the input embedding has no FLOPs. Bytes are those of table rows gathered in one
//! forward pass, at the element size of the table: costs of blocks count f32, costs of parts and models the decoder's format.
//!
//! Counts that exceed the range of u64 are its maximum; [`Cost::check`] makes them an error.

use std::ops::{Add, AddAssign};

use crate::config::ConfigError;
use crate::numeric_format::NumericFormat;

/// FLOPs, as a count.
pub type Flops = u64;

/// The convention by which every FLOP in a record was counted.
pub const FLOP_CONVENTION: &str = "multiply-add = 2; matmul + causal attention (half context) + table lookup; \
     norms, softmax and top-k not counted; training = 3 x forward";

/// Bytes of one table element in f32.
pub const TABLE_ELEMENT_BYTES: u64 = 4;

/// Largest number of parameters, FLOPs or gathered bytes of a model, a thousand times those of the largest models: at most this,
/// products with the numbers of tokens and bytes of a run are exact or representable.
pub const MAX_COUNT: u64 = 1 << 50;

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
    /// Lookups in tables.
    pub lookups: u64,
    /// Table rows read.
    pub rows_read: u64,
    /// Values that the lookups return or, in dot products with rows, are given.
    pub lookup_values: u64,
}

impl Cost {
    /// A weight matrix `[inputs, outputs]` that every token is multiplied with.
    pub fn matrix(inputs: usize, outputs: usize) -> Self {
        let params = product(inputs, outputs);
        Self {
            params_dense: params,
            params_active: params,
            matmul: params.saturating_mul(2),
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
        let read = product(rows, width);
        Self {
            params_active: read,
            lookup: read.saturating_mul(2),
            bytes_gathered: read.saturating_mul(TABLE_ELEMENT_BYTES),
            lookups: 1,
            rows_read: rows as u64,
            lookup_values: width as u64,
            ..Self::default()
        }
    }

    /// `rows` rows of `width` copied from a table.
    pub fn copy(rows: usize, width: usize) -> Self {
        Self {
            lookup: 0,
            lookup_values: product(rows, width),
            ..Self::gather(rows, width)
        }
    }

    /// A table of `rows` rows of `width`, without its reads.
    pub fn table(rows: usize, width: usize) -> Self {
        Self {
            params_table: product(rows, width),
            ..Self::default()
        }
    }

    /// This cost, counted with tables in f32, with tables in `format`.
    pub fn with_tables_in(self, format: NumericFormat) -> Self {
        // An overflow stays the largest count, which [`Cost::check`] makes an error.
        let bytes_gathered = match self.bytes_gathered {
            u64::MAX => u64::MAX,
            bytes => bytes / TABLE_ELEMENT_BYTES * format.bytes(),
        };
        Self {
            bytes_gathered,
            ..self
        }
    }

    /// `n` times the cost.
    pub fn times(self, n: usize) -> Self {
        self.combined(Self::default(), |part, _| part.saturating_mul(n as u64))
    }

    /// Each count from that of this cost and that of `other`.
    fn combined(self, other: Self, count: impl Fn(u64, u64) -> u64) -> Self {
        Self {
            params_dense: count(self.params_dense, other.params_dense),
            params_table: count(self.params_table, other.params_table),
            params_active: count(self.params_active, other.params_active),
            matmul: count(self.matmul, other.matmul),
            attention: count(self.attention, other.attention),
            lookup: count(self.lookup, other.lookup),
            bytes_gathered: count(self.bytes_gathered, other.bytes_gathered),
            lookups: count(self.lookups, other.lookups),
            rows_read: count(self.rows_read, other.rows_read),
            lookup_values: count(self.lookup_values, other.lookup_values),
        }
    }

    /// Checks that no count exceeds [`MAX_COUNT`]; those that overflow do.
    ///
    /// # Errors
    /// For the first count that exceeds it.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (key, name, count) in [
            ("d_model", "parameters", self.params()),
            ("d_model", "FLOPs for each token", self.training()),
            (
                "d_model",
                "gathered bytes for each token",
                self.bytes_gathered,
            ),
        ] {
            if count > MAX_COUNT {
                let problem = format!("gives a model of more than 2^50 {name}");
                return Err(ConfigError::new(
                    key,
                    problem,
                    "lower the widths, or the number of layers, experts or table rows",
                ));
            }
        }
        Ok(())
    }

    /// All parameters.
    pub fn params(&self) -> u64 {
        self.params_dense.saturating_add(self.params_table)
    }

    /// FLOPs of one token's forward pass.
    pub fn forward(&self) -> Flops {
        let products = self.matmul.saturating_add(self.attention);
        products.saturating_add(self.lookup)
    }

    /// FLOPs of training on one token: forward once, backward twice that.
    pub fn training(&self) -> Flops {
        self.forward().saturating_mul(3)
    }
}

impl Add for Cost {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        self.combined(other, u64::saturating_add)
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

fn product(rows: usize, width: usize) -> u64 {
    (rows as u64).saturating_mul(width as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_that_overflow_are_errors() {
        let large = Cost::matrix(1 << 25, 1 << 20).times(1 << 20);
        assert_eq!(large.params_dense, u64::MAX);
        assert!(large.check().unwrap_err().problem.contains("parameters"));
        let deep = Cost::gather(1 << 24, 1 << 24);
        assert!(deep.check().unwrap_err().problem.contains("FLOPs"));
        // The largest model of the sweep `paper` has 2^37 parameters.
        assert_eq!(Cost::table(1 << 26, 1 << 12).check(), Ok(()));
    }
}
