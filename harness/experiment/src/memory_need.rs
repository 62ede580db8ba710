//! Estimate of the memory that a training run requires, by formula.
//!
//! ```text
//!               f32                      bf16
//! weights       4 P                      (4 + 2 m) P    f32 masters; bf16 copies of each of m concurrent micro-batches
//! gradients     4 P m                    4 P m
//! optimizer     8 P                      8 P            two moments in f32
//! table         12 T                     10 T           values and two moments in f32; with moments in bf16 4 T less
//! activations   4 B (q + 10 L d + 2 V)   B (2 q + 40 L d + 10 V)
//! q = M / 2d
//! ```
//!
//! `P` is the number of dense parameters, `T` of table parameters, `B` the tokens of a batch, `M` the matmul and lookup
//! FLOPs of one token (`q` approximates the number of outputs of its matrix products: a matrix `[d, n]` has
//! `2 d n` FLOPs and `n` outputs), `L` the number of layers of width `d` (residuals, norms; attention stores no
//! scores), and `V` the vocabulary size (logits and their gradient). The gradient of a table is never dense. In bf16 what
//! products store is in bf16, and the residual stream, norms and the loss are in f32. The estimate
//! assumes no recomputation of activations and excludes the overhead of the allocator.

use architectures::ConfigError;
pub use architectures::NumericFormat;

use crate::plan::Run;

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

/// Bytes per parameter or activation, by component.
struct Widths {
    weight: Bytes,
    weight_copy: Bytes,
    gradient: Bytes,
    moments: Bytes,
    table: Bytes,
    product: Bytes,
    layer: Bytes,
    vocabulary: Bytes,
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
        let (weight_copy, vocabulary) = match self.products {
            NumericFormat::F32 => (0, 8),
            NumericFormat::Bf16 => (2, 10),
        };
        Widths {
            weight: 4,
            weight_copy,
            gradient: 4,
            moments: 8,
            table: self.products.bytes() + 2 * self.table_moments.bytes(),
            product: self.products.bytes(),
            layer: 40,
            vocabulary,
        }
    }

    /// The formula as two lines of text, the footer of a printed table.
    pub fn formula(self) -> String {
        let Widths {
            weight,
            weight_copy,
            gradient,
            moments,
            table,
            product,
            layer,
            vocabulary,
        } = self.widths();
        let weights = match weight_copy {
            0 => format!("{weight} P"),
            copy => format!("({weight} + {copy} m) P"),
        };
        format!(
            "memory in {}, bytes: weights {weights}, gradients {gradient} P m, optimizer {moments} P, table {table} T with its \
             optimizer, activations B ({product} M/2d + {layer} L d + {vocabulary} V)\n  P dense and T table parameters, m \
             micro-batches, B tokens, M matmul and lookup FLOP of a token, L layers of width d, V vocabulary",
            self.products
        )
    }
}

/// Bytes of memory that training requires, by component, with all micro-batches of a step computed concurrently.
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
    /// Activations stored for the backward pass.
    pub activations: Bytes,
}

impl MemoryNeed {
    /// Memory of `run` with whole batches.
    pub fn of(run: &Run, formats: Formats) -> Self {
        let sequences = run.training.batch_size;
        Self::with(run, formats, sequences, run.training.micro_batches)
    }

    /// Memory of `run` if sequences are processed one at a time.
    pub fn by_sequence(run: &Run, formats: Formats) -> Self {
        Self::with(run, formats, 1, 1)
    }

    fn with(run: &Run, formats: Formats, sequences: usize, micro_batches: usize) -> Self {
        let decoder = &run.model.decoder;
        let size = |n: usize| n as u64;
        let products =
            run.cost.matmul.saturating_add(run.cost.lookup) / (2 * size(decoder.d_model));
        let (widths, dense) = (formats.widths(), run.cost.params_dense);
        let of_layers = widths.layer * size(decoder.n_layers * decoder.d_model);
        let of_logits = widths.vocabulary * size(decoder.vocab_size);
        let per_token = products.saturating_mul(widths.product);
        let per_token = per_token.saturating_add(of_layers + of_logits);
        let tokens = size(sequences * decoder.seq_len);
        let copies = (widths.weight_copy * size(micro_batches)).saturating_mul(dense);
        Self {
            weights: (widths.weight * dense).saturating_add(copies),
            gradients: (widths.gradient * size(micro_batches)).saturating_mul(dense),
            optimizer: widths.moments * dense,
            table: widths.table * run.cost.params_table,
            activations: tokens.saturating_mul(per_token),
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
        let formats = |products, table_moments| Formats {
            products,
            table_moments,
        };
        let (single, half) = (NumericFormat::F32, NumericFormat::Bf16);
        assert_eq!(Formats::of(run, None), formats(single, single));
        let need = MemoryNeed::of(run, Formats::of(run, None));
        assert_eq!(
            [need.weights, need.gradients, need.optimizer, need.table],
            [4 * dense, 4 * dense, 8 * dense, 12 * table]
        );
        let narrow = MemoryNeed::of(run, Formats::of(run, Some(half)));
        assert_eq!(
            [
                narrow.weights,
                narrow.gradients,
                narrow.optimizer,
                narrow.table
            ],
            [6 * dense, 4 * dense, 8 * dense, 10 * table]
        );
        let narrowest = MemoryNeed::of(run, formats(half, half));
        assert_eq!(narrowest.table, 6 * table);
        // Batches of four sequences, in one micro-batch.
        let one = MemoryNeed::by_sequence(run, Formats::of(run, None));
        assert_eq!(need.activations, 4 * one.activations);
        assert_eq!(
            need.total() - need.activations,
            one.total() - one.activations
        );
        let products = (run.cost.matmul + run.cost.lookup) / 32;
        let numbers = products + 10 * 2 * 16 + 2 * 400;
        assert_eq!(one.activations, 4 * 32 * numbers);
        let bytes = 2 * products + 40 * 2 * 16 + 10 * 400;
        assert_eq!(narrow.activations, 4 * 32 * bytes);
    }
}
