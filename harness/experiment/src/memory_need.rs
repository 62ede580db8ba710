//! The memory of a training run in this program, by formula.
//!
//! ```text
//!                   f32                                          bf16
//! weights           4 P                                         4 P + 2 m C     f32 masters, and copies of each micro-batch
//! optimizer         8 P                                         8 P             two moments in f32
//! table            12 T                                        10 T             with moments in bf16 4 T less
//! gradients         4 P (m + s)                                 4 P (m + s)     s = 1 with accumulation, otherwise 0; on ranks
//!                                                                               that divide gradients 4 P / n + 4 S
//! activations       4 b m (A + d segments + 2 d) + 8 m r V      2 b m q less, and 10 m r V
//! table gradient    4 B G, at most 8 T + 4 B G / accumulate if accumulated (8 T / n on n ranks)
//! ```
//!
//! `P` is the number of dense parameters, `C` of those that the backward pass of a segment needs, `S` of those of the largest segment
//! (`dense_bytes.rs`), `T` of table parameters, `B` the tokens of a batch, `b` those of one of the `m`
//! micro-batches of one of the parts that are computed one after the other. `A` and `G` are the numbers that one token leaves
//! in memory in the layers of a segment (all layers without recomputation), and as entries of table gradients
//! ([`architectures::Activations`]); `d` is the width of the residual stream, stored between segments, `r` the rows of logits
//! that exist at once ([`architectures::loss::rows_of_piece`]), with their gradient, and `V` the vocabulary size. Products in bf16
//! store their `q` outputs a token in half the bytes: the FLOPs of a token in the layers of the segment over `2 d`, as a matrix
//! `[d, n]` has `2 d n` FLOPs and `n` outputs. On several ranks, each has its part of the batch, of the table's columns and of the moments.
//!
//! Weights, optimizer and tables are always there. The rest is not there at once: the formula takes the largest of three
//! moments, which are the backward pass of the head, that of the first layers, and the update; in the first two, gradients and
//! entries of the parts before are in memory. On ranks that divide gradients others are the exchanges of the head's and of a segment's. To each of them it
//! adds half of the gradients of one backward pass, freed memory that the allocator keeps and later blocks do not fit (measured: between
//! none and twice that). The gradient of a table is never dense; entries of all parts of a batch
//! are kept until the update, or summed by row where they would need more than 8 T and 256 MiB ([`architectures::TableGradient::bounded`]).
//!
//! `harness/tests/step_memory.rs` compares the formula with the peaks of processes, in both formats and on ranks that are threads.

pub use architectures::NumericFormat;
use architectures::{ConfigError, TableGradient};

use crate::plan::Run;
use crate::training::Division;

mod dense_bytes;
mod part_bytes;

use dense_bytes::dense_bytes;
use part_bytes::part_bytes;

/// A number of bytes.
pub type Bytes = u64;

/// Formats of numbers that an estimate assumes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Formats {
    /// Of products and tables.
    pub products: NumericFormat,
    /// Of the moments of tables.
    pub table_moments: NumericFormat,
}

/// Bytes of a dense parameter's weight, of its gradient and of its moments, which are in f32 in every format.
const WEIGHT: Bytes = 4;
const GRADIENT: Bytes = 4;
const MOMENTS: Bytes = 8;

/// Bytes that depend on the formats.
struct Widths {
    /// Of a weight's copy in each micro-batch.
    weight_copy: Bytes,
    /// Of a table value with its moments.
    table: Bytes,
    /// That an output of a product is smaller than in f32.
    saved_of_product: Bytes,
    /// Of a logit with its gradient.
    logit: Bytes,
}

impl Formats {
    /// Those of `run`, with products and tables in `products` if that is given.
    pub fn of(run: &Run, products: Option<NumericFormat>) -> Self {
        Self {
            products: products.unwrap_or(run.model.decoder.numeric_format),
            table_moments: run.training.table_moments,
        }
    }

    fn widths(self) -> Widths {
        let (weight_copy, logit) = match self.products {
            NumericFormat::F32 => (0, 8),
            NumericFormat::Bf16 => (2, 10),
        };
        Widths {
            weight_copy,
            table: self.products.bytes() + 2 * self.table_moments.bytes(),
            saved_of_product: 4 - self.products.bytes(),
            logit,
        }
    }

    /// The formula as lines of text, the footer of a printed table.
    pub fn formula(self) -> String {
        let Widths {
            weight_copy,
            table,
            saved_of_product,
            logit,
        } = self.widths();
        let weights = match weight_copy {
            0 => format!("{WEIGHT} P"),
            copy => format!(
                "{WEIGHT} P and in each micro-batch {copy} for those whose products are differentiated at once (with recompute one segment's)"
            ),
        };
        let products = match saved_of_product {
            0 => String::new(),
            saved => format!(" ({} for the output of a product)", 4 - saved),
        };
        let freed = GRADIENT / 2;
        format!(
            "memory in {}, bytes: weights {weights}, gradients {GRADIENT} P for each micro-batch and for the sum of \
             accumulated parts, optimizer {MOMENTS} P, table {table} T\n  with its optimizer, table gradient 4 for each \
             number of its entries, activations 4 for each number that a part of the batch stores{products} and {logit} \
             for each\n  logit of a piece; peak: weights, optimizer, table and {freed} P, with the largest of what the head, \
             the first layers and the update need",
            self.products
        )
    }
}

/// Bytes of memory that training requires, by component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MemoryNeed {
    /// Dense weights, with copies in bf16 if products are in it.
    pub weights: Bytes,
    /// Gradients of the dense weights.
    pub gradients: Bytes,
    /// AdamW moments of the dense weights.
    pub optimizer: Bytes,
    /// Value tables with their moments.
    pub table: Bytes,
    /// Entries of the table gradients of a batch.
    pub table_gradient: Bytes,
    /// What the parts of the batch that are computed at once store for the backward pass, with the logits of a piece.
    pub activations: Bytes,
    /// The largest sum of gradients, entries and activations that exist at once, and freed gradients.
    pub step: Bytes,
    /// The same without the entries of table gradients.
    pub step_without_entries: Bytes,
}

impl MemoryNeed {
    /// Memory of `run` with its own settings.
    ///
    /// # Errors
    /// If the model's configuration is invalid.
    pub fn of(run: &Run, formats: Formats) -> Result<Self, ConfigError> {
        Self::divided(run, formats, Division::of(&run.training))
    }

    /// Memory of `run` if its batches were divided so.
    ///
    /// # Errors
    /// If the model's configuration is invalid.
    pub fn divided(run: &Run, formats: Formats, division: Division) -> Result<Self, ConfigError> {
        let decoder = &run.model.decoder;
        let layers = run.model.activations()?;
        let (widths, dense) = (formats.widths(), run.cost.params_dense);
        let gradients = dense_bytes(run, widths.weight_copy, division)?;
        let micro_batches = division.micro_batches as u64;
        let part = part_bytes(run, &layers, formats, division);
        let [head, last, first] =
            [part.head, part.last, part.first].map(|bytes| bytes.saturating_mul(micro_batches));
        let numbers = layers.iter().map(|layer| layer.table_gradient);
        let numbers = numbers.fold(0, u64::saturating_add);
        let tokens = (run.training.batch_size.div_ceil(division.ranks) * decoder.seq_len) as u64;
        let table_gradient = numbers.saturating_mul(4).saturating_mul(tokens);
        let of_part = table_gradient / division.accumulate as u64;
        let bound = 8u64.saturating_mul(run.cost.params_table) / division.ranks as u64;
        let bound = bound.max(TableGradient::LEAST_SUMMED_BYTES);
        let (before, table_gradient) = match division.accumulate {
            1 => (0, table_gradient),
            _ => (
                bound.min(table_gradient - of_part),
                table_gradient.min(bound.saturating_add(of_part)),
            ),
        };
        // The update and the sum by row copy the entries of one table.
        let tables = run.model.tables()?.len().max(1) as u64;
        let copied = table_gradient / tables;
        // The head's backward pass, that of the first layers, an exchange, the update; gradients and activations, then entries.
        let moments = [
            (gradients.before.saturating_add(head), before),
            (gradients.backward.saturating_add(first), before),
            (gradients.exchange_of_head.saturating_add(last), before),
            (gradients.exchange, before),
            (gradients.update, table_gradient.saturating_add(copied)),
        ];
        let largest = |entries: u64| {
            let sums = moments.map(|(dense, held)| dense.saturating_add(held.min(entries)));
            gradients
                .freed
                .saturating_add(sums.into_iter().max().unwrap_or(0))
        };
        Ok(Self {
            weights: (WEIGHT * dense).saturating_add(gradients.copies),
            gradients: gradients.backward,
            optimizer: MOMENTS * dense,
            table: widths.table * run.cost.params_table,
            table_gradient,
            activations: head,
            step: largest(Bytes::MAX),
            step_without_entries: largest(0),
        })
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

    /// Bytes at the peak.
    pub fn total(&self) -> Bytes {
        let state = self.weights.saturating_add(self.optimizer);
        state.saturating_add(self.table).saturating_add(self.step)
    }
}

#[cfg(test)]
mod tests;
