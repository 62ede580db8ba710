//! How much memory a training run will need, by formula.
//!
//! ```text
//! weights      4 P                       f32; P all dense parameters
//! gradients    4 P m                     of m micro-batches, side by side
//! Adam         8 P                       two moments
//! tables      12 T                       values and two moments; their gradient is never dense
//! activations  4 B (M / 2d + 10 L d + 2 V)
//! ```
//!
//! `B` tokens of a batch, `M` matmul and lookup FLOPs of one token (`M / 2d` approximates the numbers that come out of
//! its products: a matrix `[d, n]` costs `2 d n` and gives `n`), `L` layers of width `d` (residuals, norms; attention
//! keeps no scores), `V` vocabulary (logits and their gradient). An estimate: what the allocator keeps beyond it is not known before.

use crate::plan::Run;

/// Bytes, as a count.
pub type Bytes = u64;

/// Bytes of one f32.
const F32: Bytes = 4;

/// The formula, for a table's footer.
pub const FORMULA: &str =
    "memory = (12 + 4 m) P dense + 12 P table + 4 B (M/2d + 10 L d + 2 V) bytes, m micro-batches";

/// Bytes that training needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryNeed {
    /// Dense weights, their gradients and their moments.
    pub dense: Bytes,
    /// Value tables and their moments.
    pub tables: Bytes,
    /// What the backward pass reads.
    pub activations: Bytes,
}

impl MemoryNeed {
    /// What `run` needs.
    pub fn of(run: &Run) -> Self {
        let decoder = &run.model.decoder;
        let size = |n: usize| n as u64;
        let layer = 10 * decoder.d_model;
        let products = (run.cost.matmul + run.cost.lookup) / (2 * size(decoder.d_model));
        let per_token = products + size(decoder.n_layers * layer) + size(2 * decoder.vocab_size);
        let batch = size(run.training.batch_size * decoder.seq_len);
        Self {
            dense: (3 + size(run.training.micro_batches)) * F32 * run.cost.params_dense,
            tables: 3 * F32 * run.cost.params_table,
            activations: F32 * batch * per_token,
        }
    }

    /// All of it.
    pub fn total(&self) -> Bytes {
        self.dense + self.tables + self.activations
    }
}
