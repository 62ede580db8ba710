//! The numbers of a step that its update depends on, copied to the host together.
//!
//! A copy waits until the device has finished everything before it, so that a step has one, between backward pass and update:
//!
//! ```text
//! losses of each part of the batch, of all ranks        the loss of the step; skipping and ending a run
//! sums of squares of the dense gradients, of all ranks  clipping; skipping and ending a run
//! sums of squares of the tables' entries                a bound of the norm of the tables' gradients; ending a run
//! norms of the tables' gradients of the update before   a row of metrics alone (`tables_norm`)
//! ```

use architectures::{TableGradient, host_copy};
use burn::module::Module;
use burn::tensor::Tensor;
use collectives::Collectives;

use super::gradients::{DenseGradients, SummedBatch};
use super::optimizer;
use super::tables_norm::TablesNorm;

/// Norms of gradients before clipping.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GradientNorms {
    /// Global norm over all dense parameters.
    pub dense: f64,
    /// An upper bound of the norm over all value tables, which the update computes.
    pub tables: f64,
}

impl GradientNorms {
    /// Whether both are finite, in the range of the squares' sums in f32.
    pub fn are_finite(&self) -> bool {
        self.dense.is_finite() && self.tables < f64::from(f32::MAX).sqrt()
    }
}

/// The numbers of a step that its update depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepNumbers {
    /// Mean negative log-likelihood of the batch, nats per token.
    pub loss: f64,
    /// Sum of the blocks' weighted auxiliary losses.
    pub auxiliary_loss: f64,
    /// Norms of the gradients before clipping.
    pub norms: GradientNorms,
}

impl StepNumbers {
    /// The numbers of `batch` and of all `ranks`, by one copy to the host, which has `late` too.
    pub(super) fn copied(
        batch: &SummedBatch,
        module: &impl Module,
        ranks: &dyn Collectives,
        late: Option<&TablesNorm>,
    ) -> Self {
        let square = match &batch.parameters.dense {
            DenseGradients::Whole(whole) => optimizer::square_sum(module, whole),
            DenseGradients::Own(own) => own.square_sum.clone(),
        };
        let has_dense = square.is_some();
        let mut own = batch.losses.tensors();
        own.extend(square);
        let of_rank = own.len();
        let mut on_device = vec![ranks.all_gather(Tensor::cat(own, 0))];
        let tables = batch.parameters.tables.iter();
        // Over all ranks already.
        on_device.extend(
            tables
                .flat_map(|(table, parts)| table.squares(parts))
                .flatten(),
        );
        let squares = on_device.len() - 1;
        on_device.extend(late.and_then(TablesNorm::unread));

        let on_host = host_copy::numbers(on_device);
        let (of_ranks, rest) = on_host.split_at(of_rank * ranks.ranks());
        let (squares, of_late) = rest.split_at(squares);
        if let Some(late) = late.filter(|_| !of_late.is_empty()) {
            late.set(of_late);
        }
        let (mut loss, mut auxiliary_loss, mut dense) = (0.0, 0.0, None);
        for own in of_ranks.chunks_exact(of_rank) {
            let (losses, square) = own.split_at(of_rank - usize::from(has_dense));
            let [of_parts, auxiliary] = batch.losses.sums(losses);
            loss += of_parts;
            auxiliary_loss += auxiliary;
            // In f32 and in the order of the ranks, as their sums of tensors.
            for &square in square {
                dense = Some(dense.map_or(square, |sum: f32| sum + square));
            }
        }
        let (squares, _) = squares.as_chunks();
        let bounds = squares.iter().copied().map(TableGradient::norm_bound);
        Self {
            loss,
            auxiliary_loss,
            norms: GradientNorms {
                dense: dense.map_or(0.0, |square| f64::from(square.sqrt())),
                tables: 0.0 + bounds.sum::<f64>(),
            },
        }
    }
}
