//! Selection of rows by id, with a gradient free of races between entries: the token embedding, the weights of selected
//! experts.
//!
//! Burn's own gradient of a selection is correct on every backend, but on CubeCL it adds all entries of a column
//! serially.

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Backend, Dispatch, Flex, TensorMetadata, backend_extension};
use burn::tensor::{Int, Tensor};

use super::composed::lookup;

/// Selection of rows.
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait GatherOps: Backend {
    /// The rows `ids [n]` of `table [rows, width]`, `[n, width]`.
    fn select_rows(table: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        Self::float_select(table, 0, ids)
    }

    /// Gradient of [`GatherOps::select_rows`] with respect to a table of `rows` rows, given that of its output.
    fn select_rows_backward(
        grad: FloatTensor<Self>,
        ids: IntTensor<Self>,
        rows: usize,
    ) -> FloatTensor<Self> {
        lookup::add_rows::<Self>(grad, ids, rows)
    }
}

impl GatherOps for Flex {}

#[derive(Debug)]
struct SelectRowsBackward;

impl<B: GatherOps> Backward<B, 1> for SelectRowsBackward {
    type State = (IntTensor<B>, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        let (ids, rows) = ops.state;
        if let [Some(node)] = ops.parents {
            grads.register::<B>(node.id, B::select_rows_backward(grad, ids, rows));
        }
    }
}

impl<B: GatherOps, C: CheckpointStrategy> GatherOps for Autodiff<B, C> {
    fn select_rows(table: FloatTensor<Self>, ids: IntTensor<Self>) -> FloatTensor<Self> {
        let node = table.node();
        let table = table.into_primitive();
        let rows = table.shape()[0];
        match SelectRowsBackward
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let out = B::select_rows(table, ids.clone());
                prep.finish((ids, rows), out)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::select_rows(table, ids)),
        }
    }

    fn select_rows_backward(
        _: FloatTensor<Self>,
        _: IntTensor<Self>,
        _: usize,
    ) -> FloatTensor<Self> {
        panic!("select_rows has no second derivative")
    }
}

/// [`GatherOps::select_rows`] on tensors.
pub fn select_rows(table: Tensor<2>, ids: Tensor<1, Int>) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::select_rows(
        table.into_dispatch(),
        ids.into_dispatch(),
    ))
}

/// The sums of the rows `values [n, width]` of equal `ids [n]`, `[rows, width]`, without gradient.
pub fn add_rows(values: Tensor<2>, ids: Tensor<1, Int>, rows: usize) -> Tensor<2> {
    Tensor::from_dispatch(Dispatch::select_rows_backward(
        values.inner().into_dispatch(),
        ids.inner().into_dispatch(),
        rows,
    ))
}

/// The row of each token, `[batch, seq, width]`, for `table [vocab_size, width]` and `tokens [batch, seq]`.
pub fn embedding(table: Tensor<2>, tokens: Tensor<2, Int>) -> Tensor<3> {
    let ([_, width], [batch, seq]) = (table.dims(), tokens.dims());
    select_rows(table, tokens.reshape([batch * seq])).reshape([batch, seq, width])
}
