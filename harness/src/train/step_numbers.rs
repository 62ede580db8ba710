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

use super::data_parallel::SummedBatch;
use super::optimizer;
use super::step::{DenseGradients, GradientNorms};
use super::tables_norm::TablesNorm;

/// Losses of the parts of a batch that one rank computed, on the device: sums over the tokens of a part, divided by the tokens of the
/// whole batch.
#[derive(Clone, Default)]
pub struct Losses {
    /// Negative log-likelihood in nats, `[1]` each, without autodiff.
    parts: Vec<Tensor<1>>,
    /// Weighted auxiliary losses of the blocks, likewise; of the parts that have one.
    auxiliary: Vec<Tensor<1>>,
}

impl Losses {
    /// Those of one part, `[1]` each, without autodiff.
    pub fn of_part(loss: Tensor<1>, auxiliary: Option<Tensor<1>>) -> Self {
        Self {
            parts: vec![loss],
            auxiliary: auxiliary.into_iter().collect(),
        }
    }

    /// Appends the parts of `others`.
    pub fn append(&mut self, others: Self) {
        self.parts.extend(others.parts);
        self.auxiliary.extend(others.auxiliary);
    }

    /// Loss and auxiliary loss, by a copy of their own.
    pub fn on_host(&self) -> [f64; 2] {
        self.sums(&host_copy::numbers(self.tensors()))
    }

    fn tensors(&self) -> Vec<Tensor<1>> {
        self.parts.iter().chain(&self.auxiliary).cloned().collect()
    }

    /// Loss and auxiliary loss, from the values of [`Losses::tensors`] of a rank: added in f64, in the order of the parts.
    fn sums(&self, values: &[f32]) -> [f64; 2] {
        let (parts, auxiliary) = values.split_at(self.parts.len());
        // The sum of nothing is -0.
        [parts, auxiliary].map(|values| 0.0 + values.iter().copied().map(f64::from).sum::<f64>())
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
