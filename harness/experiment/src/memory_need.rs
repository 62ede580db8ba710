//! Estimate of the memory that a training run requires, by formula.
//!
//! ```text
//!               f32, as in this program          bf16, as in the paper
//! weights       4 P                             6 P    f32 masters and bf16 copies
//! gradients     4 P m                           4 P m  f32, of m concurrent micro-batches
//! optimizer     8 P                             8 P    two moments in f32
//! table        12 T                             8 T    values and two moments; in bf16 also a dense gradient
//! activations   4 n                             2 n
//! n = B (M / 2d + 10 L d + 2 V)
//! ```
//!
//! `P` is the number of dense parameters, `T` of table parameters, `B` the tokens of a batch, `M` the matmul and lookup
//! FLOPs of one token (`M / 2d` approximates the number of outputs of its matrix products: a matrix `[d, n]` has
//! `2 d n` FLOPs and `n` outputs), `L` the number of layers of width `d` (residuals, norms; attention stores no
//! scores), and `V` the vocabulary size (logits and their gradient). In f32 the gradient of a table is never dense. The
//! bf16 column is the recipe of "Memory Layers at Scale" (Berges et al. 2024): 8 bytes per table value. The estimate
//! assumes no recomputation of activations and excludes the overhead of the allocator.

use std::fmt;
use std::str::FromStr;

use architectures::ConfigError;

use crate::plan::Run;

/// A number of bytes.
pub type Bytes = u64;

/// Numeric format assumed by an estimate; training in this program is in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumericFormat {
    /// f32, as in this program.
    #[default]
    F32,
    /// Mixed precision, as in the paper: f32 master copies of dense weights; weights, tables and activations in bf16.
    Bf16,
}

/// Bytes per parameter or activation, by component.
struct Widths {
    weight: Bytes,
    gradient: Bytes,
    moments: Bytes,
    table: Bytes,
    activation: Bytes,
}

impl NumericFormat {
    fn widths(self) -> Widths {
        let (weight, table, activation) = match self {
            Self::F32 => (4, 12, 4),
            Self::Bf16 => (6, 8, 2),
        };
        Widths {
            weight,
            gradient: 4,
            moments: 8,
            table,
            activation,
        }
    }

    /// The formula as two lines of text, the footer of a printed table.
    pub fn formula(self) -> String {
        let Widths {
            weight,
            gradient,
            moments,
            table,
            activation,
        } = self.widths();
        format!(
            "memory in {self}, bytes: weights {weight} P, gradients {gradient} P m, optimizer {moments} P, table {table} T \
             with its optimizer, activations {activation} B (M/2d + 10 L d + 2 V)\n  P dense and T table parameters, m \
             micro-batches, B tokens, M matmul and lookup FLOP of a token, L layers of width d, V vocabulary"
        )
    }
}

impl fmt::Display for NumericFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::Bf16 => "bf16",
        })
    }
}

impl FromStr for NumericFormat {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "f32" => Ok(Self::F32),
            "bf16" => Ok(Self::Bf16),
            _ => Err("choose from: f32, bf16".to_owned()),
        }
    }
}

/// Bytes of memory that training requires, by component, with all micro-batches of a step computed concurrently.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryNeed {
    /// Dense weights, in bf16 with their master copies.
    pub weights: Bytes,
    /// Gradients of the dense weights.
    pub gradients: Bytes,
    /// AdamW moments of the dense weights.
    pub optimizer: Bytes,
    /// Value tables with their moments and, in bf16, their dense gradient.
    pub table: Bytes,
    /// Activations stored for the backward pass.
    pub activations: Bytes,
}

impl MemoryNeed {
    /// Memory of `run` with whole batches.
    pub fn of(run: &Run, format: NumericFormat) -> Self {
        let sequences = run.training.batch_size;
        Self::with(run, format, sequences, run.training.micro_batches)
    }

    /// Memory of `run` if sequences are processed one at a time.
    pub fn by_sequence(run: &Run, format: NumericFormat) -> Self {
        Self::with(run, format, 1, 1)
    }

    fn with(run: &Run, format: NumericFormat, sequences: usize, micro_batches: usize) -> Self {
        let decoder = &run.model.decoder;
        let size = |n: usize| n as u64;
        let layer = 10 * decoder.d_model;
        let products =
            run.cost.matmul.saturating_add(run.cost.lookup) / (2 * size(decoder.d_model));
        let per_token = products + size(decoder.n_layers * layer) + size(2 * decoder.vocab_size);
        let tokens = size(sequences * decoder.seq_len);
        let (widths, dense) = (format.widths(), run.cost.params_dense);
        Self {
            weights: widths.weight * dense,
            gradients: (widths.gradient * size(micro_batches)).saturating_mul(dense),
            optimizer: widths.moments * dense,
            table: widths.table * run.cost.params_table,
            activations: (widths.activation * tokens).saturating_mul(per_token),
        }
    }

    /// Checks that the number of bytes is less than 2^64.
    ///
    /// # Errors
    /// If it is not.
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.total() < Bytes::MAX {
            return Ok(());
        }
        Err(ConfigError::new(
            "batch_size",
            "gives a run of 2^64 bytes of memory or more",
            "lower it, or the size of the model",
        ))
    }

    /// Bytes of dense weights, gradients and moments.
    pub fn dense(&self) -> Bytes {
        let weights = self.weights.saturating_add(self.gradients);
        weights.saturating_add(self.optimizer)
    }

    /// Bytes of all components.
    pub fn total(&self) -> Bytes {
        let parameters = self.dense().saturating_add(self.table);
        parameters.saturating_add(self.activations)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::sweep_file::Sweep;

    #[test]
    fn components_equal_the_formula() {
        let plan = Plan::new(Sweep::parse("f.toml", crate::testing::SWEEP).unwrap()).unwrap();
        let run = &plan.runs[1];
        let (dense, table) = (run.cost.params_dense, run.cost.params_table);
        assert_eq!(table, 8 * 8 * 16);
        let need = MemoryNeed::of(run, NumericFormat::F32);
        assert_eq!(
            [need.weights, need.gradients, need.optimizer, need.table],
            [4 * dense, 4 * dense, 8 * dense, 12 * table]
        );
        let paper = MemoryNeed::of(run, NumericFormat::Bf16);
        assert_eq!(
            [paper.weights, paper.gradients, paper.optimizer, paper.table],
            [6 * dense, 4 * dense, 8 * dense, 8 * table]
        );
        assert_eq!(need.activations, 2 * paper.activations);
        // Batches of four sequences, in one micro-batch.
        let one = MemoryNeed::by_sequence(run, NumericFormat::F32);
        assert_eq!(need.activations, 4 * one.activations);
        assert_eq!(
            need.total() - need.activations,
            one.total() - one.activations
        );
        let numbers = (run.cost.matmul + run.cost.lookup) / 32 + 10 * 2 * 16 + 2 * 400;
        assert_eq!(one.activations, 4 * 32 * numbers);
    }
}
