//! The memory of a training run in this program, by formula.
//!
//! ```text
//!                   f32                               bf16, as in the paper
//! weights           4 P                              6 P    f32 masters and bf16 copies
//! optimizer         8 P                              8 P    two moments in f32
//! table            12 T                              8 T    values and two moments; in bf16 also a dense gradient
//! gradients         4 P (m + s)                      4 P (m + s)    s = 1 with accumulation, otherwise 0
//! activations       4 b m (A + d segments + 2 d) + 8 m r V           half of it
//! table gradient    4 B G, at most 8 T + 4 B G / accumulate if accumulated
//! ```
//!
//! `P` is the number of dense parameters, `T` of table parameters, `B` the tokens of a batch, `b` those of one of the `m`
//! micro-batches of one of the parts that are computed one after the other. `A` and `G` are the numbers that one token leaves
//! in memory in the layers of a segment (all layers without recomputation), and as entries of table gradients
//! ([`architectures::Activations`]); `d` is the width of the residual stream, stored between segments, `r` the rows of logits
//! that exist at once ([`architectures::loss::rows_of_piece`]), with their gradient, and `V` the vocabulary size.
//!
//! Weights, optimizer and tables are always there. The rest is not there at once: the formula takes the largest of three
//! moments, which are the backward pass of the head, that of the first layers, and the update; in the first two, gradients and
//! entries of the parts before are in memory. To each of them it adds 2 P, freed memory that the allocator keeps and later blocks do
//! not fit (measured: between 0 and 4 P). In f32 the gradient of a table is never dense; entries of all parts of a batch
//! are kept until the update, or summed by row where they would need more than 8 T and 256 MiB ([`architectures::TableGradient::bounded`]).
//!
//! The bf16 column is the recipe of "Memory Layers at Scale" (Berges et al. 2024). `harness/tests/step_memory.rs` compares
//! the formula with the peaks of processes.

use std::fmt;
use std::str::FromStr;

use architectures::loss::rows_of_piece;
use architectures::{Activations, ConfigError, DecoderConfig, Part, TableGradient};

use crate::plan::Run;
use crate::training::Division;

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

    /// The formula as lines of text, the footer of a printed table.
    pub fn formula(self) -> String {
        let Widths {
            weight,
            gradient,
            moments,
            table,
            activation,
        } = self.widths();
        let (logits, freed) = (2 * activation, gradient / 2);
        format!(
            "memory in {self}, bytes: weights {weight} P, gradients {gradient} P for each micro-batch and for the sum of \
             accumulated parts, optimizer {moments} P, table {table} T\n  with its optimizer, table gradient 4 for each \
             number of its entries, activations {activation} for each number that a part of the batch stores and {logits} \
             for each\n  logit of a piece; peak: weights, optimizer, table and {freed} P, with the largest of what the head, \
             the first layers and the update need"
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

/// Bytes of memory that training requires, by component.
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
    /// Entries of the table gradients of a batch.
    pub table_gradient: Bytes,
    /// What the parts of the batch that are computed at once store for the backward pass, with the logits of a piece.
    pub activations: Bytes,
    /// The largest sum of gradients, entries and activations that exist at once, and freed gradients.
    pub step: Bytes,
    /// The same without the entries of table gradients.
    pub step_without_entries: Bytes,
}

/// Bytes of the parts that are computed at once.
struct PartBytes {
    /// Activations of the last segment, inputs of all, head and logits.
    head: Bytes,
    /// Activations of the first segment, or of the first layer if all activations are stored; inputs of all segments.
    first: Bytes,
}

impl MemoryNeed {
    /// Memory of `run` with its own settings.
    ///
    /// # Errors
    /// If the model's configuration is invalid.
    pub fn of(run: &Run, format: NumericFormat) -> Result<Self, ConfigError> {
        Self::divided(run, format, Division::of(&run.training))
    }

    /// Memory of `run` if its batches were divided so.
    ///
    /// # Errors
    /// If the model's configuration is invalid.
    pub fn divided(
        run: &Run,
        format: NumericFormat,
        division: Division,
    ) -> Result<Self, ConfigError> {
        let decoder = &run.model.decoder;
        let layers = run.model.activations()?;
        let (widths, dense) = (format.widths(), run.cost.params_dense);
        let micro_batches = division.micro_batches as u64;
        let part = part_bytes(decoder, &layers, format, run.training.batch_size, division);
        let (head, first) = (
            part.head.saturating_mul(micro_batches),
            part.first.saturating_mul(micro_batches),
        );
        let of_parts = widths.gradient.saturating_mul(dense);
        let concurrent = of_parts.saturating_mul(micro_batches);
        let accumulated = if division.accumulate > 1 { of_parts } else { 0 };
        let gradients = concurrent.saturating_add(accumulated);
        let numbers = layers.iter().map(|layer| layer.table_gradient);
        let numbers = numbers.fold(0, u64::saturating_add);
        let tokens = (run.training.batch_size * decoder.seq_len) as u64;
        let table_gradient = numbers.saturating_mul(4).saturating_mul(tokens);
        let of_part = table_gradient / division.accumulate as u64;
        let bound = 8u64.saturating_mul(run.cost.params_table);
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
        // The head's backward pass, that of the first layers, the update; gradients and activations, then entries.
        let moments = [
            (accumulated.saturating_add(head), before),
            (gradients.saturating_add(first), before),
            (gradients, table_gradient.saturating_add(copied)),
        ];
        let largest = |entries: u64| {
            let sums = moments.map(|(dense, held)| dense.saturating_add(held.min(entries)));
            (of_parts / 2).saturating_add(sums.into_iter().max().unwrap_or(0))
        };
        Ok(Self {
            weights: widths.weight * dense,
            gradients,
            optimizer: widths.moments * dense,
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

fn part_bytes(
    decoder: &DecoderConfig,
    layers: &[Activations],
    format: NumericFormat,
    sequences: usize,
    division: Division,
) -> PartBytes {
    let widths = format.widths();
    let sequences = sequences.div_ceil(division.accumulate);
    let tokens = sequences.div_ceil(division.micro_batches) * decoder.seq_len;
    let of_segment = division.recompute.segment_layers(layers.len()).max(1);
    let stored = |layers: &[Activations]| {
        let numbers = layers.iter().map(|layer| layer.stored);
        numbers.fold(0, u64::saturating_add)
    };
    let mut segments = layers.chunks(of_segment);
    let inputs = (segments.len().saturating_sub(1) * decoder.d_model) as u64;
    let last = segments.next_back().map_or(0, stored);
    let first = match segments.next() {
        Some(first) => stored(first),
        None => layers.first().map_or(0, |layer| layer.stored),
    };
    let bytes = |numbers: u64| {
        let of_token = widths.activation.saturating_mul(numbers);
        of_token.saturating_mul(tokens as u64)
    };
    let rows = rows_of_piece(tokens, decoder.vocab_size);
    let logits = 2 * widths.activation * (rows as u64 * decoder.vocab_size as u64);
    // With the gradients of the pieces before, if there are several.
    let sums = if rows < tokens { 2 } else { 1 };
    let of_head = sums * widths.gradient * (decoder.vocab_size as u64 * decoder.d_model as u64);
    let head = Part::Head.activations(decoder).stored;
    PartBytes {
        head: bytes(last.saturating_add(inputs).saturating_add(head))
            .saturating_add(logits)
            .saturating_add(of_head),
        first: bytes(first.saturating_add(inputs)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Plan;
    use crate::sweep_file::Sweep;
    use crate::training::Recompute;

    #[test]
    fn components_equal_the_formula() {
        let plan = Plan::new(Sweep::parse("f.toml", crate::testing::SWEEP).unwrap()).unwrap();
        let run = &plan.runs[1];
        let (dense, table) = (run.cost.params_dense, run.cost.params_table);
        assert_eq!(table, 8 * 8 * 16);
        let need = MemoryNeed::of(run, NumericFormat::F32).unwrap();
        assert_eq!(
            [need.weights, need.gradients, need.optimizer, need.table],
            [4 * dense, 4 * dense, 8 * dense, 12 * table]
        );
        let paper = MemoryNeed::of(run, NumericFormat::Bf16).unwrap();
        assert_eq!(
            [paper.weights, paper.gradients, paper.optimizer, paper.table],
            [6 * dense, 4 * dense, 8 * dense, 8 * table]
        );
        let layers = run.model.activations().unwrap();
        let numbers: u64 = layers.iter().map(|layer| layer.stored).sum();
        // Batches of four sequences of 32 tokens; the logits of 400 tokens with their gradient, and the head's gradient.
        let logits = 2 * 4 * 128 * 400;
        let head = 4 * 400 * 16;
        assert_eq!(
            need.activations,
            4 * 128 * (numbers + 2 * 16) + logits + head
        );
        // One memory layer of two: ids, weights and rows of 16 reads.
        assert_eq!(need.table_gradient, 4 * 128 * (3 * 16 + 16));
        assert_eq!(need.step, need.activations + 2 * dense);
        let divided = |accumulate, recompute| {
            let division = Division {
                accumulate,
                micro_batches: 1,
                recompute,
            };
            MemoryNeed::divided(run, NumericFormat::F32, division).unwrap()
        };
        let parts = divided(4, Recompute::None);
        assert_eq!(parts.gradients, 2 * need.gradients);
        assert_eq!(
            4 * (parts.activations - head),
            need.activations - head,
            "activations of one part of four"
        );
        let held = 6 * dense + 3 * need.table_gradient / 4;
        assert!(parts.step >= held + parts.activations);
        let recomputed = divided(4, Recompute::Every(1));
        let saved = parts.activations - recomputed.activations;
        assert_eq!(saved, 4 * 32 * (layers[0].stored - 16));
    }
}
