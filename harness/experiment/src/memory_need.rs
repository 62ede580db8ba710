//! How much memory a training run will need, by formula.
//!
//! ```text
//!               f32, as this program trains     bf16, as the paper trains
//! weights       4 P                             6 P    f32 masters and bf16 copies
//! gradients     4 P m                           4 P m  f32, of m micro-batches side by side
//! optimizer     8 P                             8 P    two moments in f32
//! table        12 T                             8 T    values and two moments; in bf16 a dense gradient, too
//! activations   4 n                             2 n
//! n = B (M / 2d + 10 L d + 2 V)
//! ```
//!
//! `P` dense parameters, `T` table parameters, `B` tokens of a batch, `M` matmul and lookup FLOPs of one token
//! (`M / 2d` approximates the numbers that come out of its products: a matrix `[d, n]` costs `2 d n` and gives `n`),
//! `L` layers of width `d` (residuals, norms; attention keeps no scores), `V` vocabulary (logits and their gradient).
//! In f32 a table's gradient is never dense. The bf16 column is the recipe of "Memory Layers at Scale": 8 bytes for a
//! value. An estimate: nothing is recomputed, and what an allocator keeps beyond it is not known before.

use std::fmt;
use std::str::FromStr;

use crate::plan::Run;

/// Bytes, as a count.
pub type Bytes = u64;

/// What numbers are kept in, for planning; training is in f32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumericFormat {
    /// As this program trains.
    #[default]
    F32,
    /// As the paper trains: f32 masters of dense weights, everything else that is large in bf16.
    Bf16,
}

/// Bytes for one number of each kind.
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

    /// The formula, for a table's footer: two lines.
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

/// Bytes that training needs, all micro-batches of a step side by side.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryNeed {
    /// Dense weights.
    pub weights: Bytes,
    /// Their gradients.
    pub gradients: Bytes,
    /// Their moments.
    pub optimizer: Bytes,
    /// Value tables with everything that is as large as they are.
    pub table: Bytes,
    /// What the backward pass reads.
    pub activations: Bytes,
}

impl MemoryNeed {
    /// What `run` needs.
    pub fn of(run: &Run, format: NumericFormat) -> Self {
        let sequences = run.training.batch_size;
        Self::with(run, format, sequences, run.training.micro_batches)
    }

    /// What `run` needs where one sequence is worked on at a time.
    pub fn by_sequence(run: &Run, format: NumericFormat) -> Self {
        Self::with(run, format, 1, 1)
    }

    fn with(run: &Run, format: NumericFormat, sequences: usize, micro_batches: usize) -> Self {
        let decoder = &run.model.decoder;
        let size = |n: usize| n as u64;
        let layer = 10 * decoder.d_model;
        let products = (run.cost.matmul + run.cost.lookup) / (2 * size(decoder.d_model));
        let per_token = products + size(decoder.n_layers * layer) + size(2 * decoder.vocab_size);
        let tokens = size(sequences * decoder.seq_len);
        let (widths, dense) = (format.widths(), run.cost.params_dense);
        Self {
            weights: widths.weight * dense,
            gradients: widths.gradient * size(micro_batches) * dense,
            optimizer: widths.moments * dense,
            table: widths.table * run.cost.params_table,
            activations: widths.activation * tokens * per_token,
        }
    }

    /// Dense weights, gradients and moments.
    pub fn dense(&self) -> Bytes {
        self.weights + self.gradients + self.optimizer
    }

    /// All of it.
    pub fn total(&self) -> Bytes {
        self.dense() + self.table + self.activations
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::sweep_file::Sweep;

    #[test]
    fn the_parts_follow_the_formula() {
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
        // Batches of four sequences, in one part.
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
