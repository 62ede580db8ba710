//! Exchanges between the ranks that share a table by its columns, with gradients.
//!
//! `n` ranks have `t` tokens each; `c = width / n` columns of a table are of one rank. Tokens of all ranks are in the order of the ranks.
//!
//! ```text
//!                    input on rank r                      output on rank r                     transpose
//! gather_rows        [t, k] of its tokens                 [n t, k] of the tokens of all ranks  scatter_sum
//! scatter_sum        [n t, k], a term of each sum         [t, k], the sums for its tokens      gather_rows
//! columns_to_tokens  [n t, c] its columns, all tokens     [t, n c] all columns, its tokens     tokens_to_columns
//! tokens_to_columns  [t, n c] all columns, its tokens     [n t, c] its columns, all tokens     columns_to_tokens
//! ```
//!
//! For evaluation, where all ranks have the same tokens: `gather_columns` from `[t, c]` to `[t, n c]`, and `sum` over ranks. They
//! have no gradient.
//!
//! The gradient of an exchange is its transpose, an exchange too. All ranks must therefore run the same steps of the backward pass in the same
//! order. Burn's autodiff orders them by their depth in the graph and, at one depth, by a search from the loss through the parents of
//! each step, in the order in which an operation lists them (`burn-autodiff`, `graph/traversal.rs` and `build_tape`): the
//! order follows from the graph alone, which is the same on all ranks, as it does not depend on the data.

use std::sync::Arc;

use burn::backend::Autodiff;
use burn::backend::autodiff::checkpoint::{base::Checkpointer, strategy::CheckpointStrategy};
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;
use burn::backend::{
    Backend, Dispatch, DispatchKindConversion, DispatchTensor, Flex, backend_extension,
};
use burn::tensor::Tensor;
use collectives::Collectives;

/// What is exchanged; shapes are in the documentation of the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    GatherRows,
    ScatterSum,
    ColumnsToTokens,
    TokensToColumns,
    GatherColumns,
    Sum,
}

/// An exchange between ranks.
#[derive(Clone, Debug)]
pub struct Exchange {
    kind: Kind,
    ranks: Arc<dyn Collectives>,
}

impl Exchange {
    /// The exchange that maps a gradient of the output to one of the input.
    fn transpose(self) -> Self {
        let kind = match self.kind {
            Kind::GatherRows => Kind::ScatterSum,
            Kind::ScatterSum => Kind::GatherRows,
            Kind::ColumnsToTokens => Kind::TokensToColumns,
            Kind::TokensToColumns => Kind::ColumnsToTokens,
            Kind::GatherColumns | Kind::Sum => {
                panic!("a pass for evaluation is differentiated; use Pass::training")
            }
        };
        Self { kind, ..self }
    }

    /// The exchange on a tensor without autodiff.
    fn of(&self, x: Tensor<2>) -> Tensor<2> {
        let (ranks, [rows, width]) = (self.ranks.ranks(), x.dims());
        let flat = |x: Tensor<2>| x.reshape([rows * width]);
        // `[t, n c]` from `[n, t, c]`.
        let side_by_side = |x: Tensor<1>, [rows, width]: [usize; 2]| {
            x.reshape([ranks, rows, width])
                .swap_dims(0, 1)
                .reshape([rows, ranks * width])
        };
        match self.kind {
            Kind::GatherRows => self
                .ranks
                .all_gather(flat(x))
                .reshape([ranks * rows, width]),
            Kind::ScatterSum => {
                let sums = self.ranks.reduce_scatter(flat(x));
                sums.reshape([rows / ranks, width])
            }
            Kind::ColumnsToTokens => {
                let parts = self.ranks.all_to_all(flat(x));
                side_by_side(parts, [rows / ranks, width])
            }
            Kind::TokensToColumns => {
                let parts = x
                    .reshape([rows, ranks, width / ranks])
                    .swap_dims(0, 1)
                    .reshape([rows * width]);
                let parts = self.ranks.all_to_all(parts);
                parts.reshape([ranks * rows, width / ranks])
            }
            Kind::GatherColumns => side_by_side(self.ranks.all_gather(flat(x)), [rows, width]),
            Kind::Sum => self.ranks.all_reduce(flat(x)).reshape([rows, width]),
        }
    }
}

/// Exchanges as an operation of a backend.
#[backend_extension(Autodiff, Flex, LibTorch: cfg(feature = "tch"), Cube: cfg(feature = "cube"))]
pub trait ExchangeOps: Backend {
    /// `exchange` of `x`.
    fn exchange(x: FloatTensor<Self>, exchange: Exchange) -> FloatTensor<Self>;
}

/// The exchange of a backend's own tensor.
fn exchange_primitive<B: Backend>(x: FloatTensor<B>, exchange: &Exchange) -> FloatTensor<B>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    let y = exchange.of(Tensor::<2>::from_primitive::<B>(x));
    match y.try_into_primitive::<B>() {
        Ok(y) => y,
        Err(error) => {
            panic!("a collective operation returned a tensor of another device: {error:?}")
        }
    }
}

impl ExchangeOps for Flex {
    fn exchange(x: FloatTensor<Self>, exchange: Exchange) -> FloatTensor<Self> {
        exchange_primitive::<Self>(x, &exchange)
    }
}

#[cfg(feature = "tch")]
impl ExchangeOps for burn::backend::LibTorch {
    fn exchange(x: FloatTensor<Self>, exchange: Exchange) -> FloatTensor<Self> {
        exchange_primitive::<Self>(x, &exchange)
    }
}

#[cfg(feature = "cube")]
impl ExchangeOps for burn_cubecl::CubeBackend {
    fn exchange(x: FloatTensor<Self>, exchange: Exchange) -> FloatTensor<Self> {
        exchange_primitive::<Self>(x, &exchange)
    }
}

#[derive(Debug)]
struct ExchangeBackward;

impl<B: ExchangeOps> Backward<B, 1> for ExchangeBackward {
    type State = Exchange;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let grad = grads.consume::<B>(&ops.node);
        if let [Some(node)] = ops.parents {
            grads.register::<B>(node.id, B::exchange(grad, ops.state.transpose()));
        }
    }
}

impl<B: ExchangeOps, C: CheckpointStrategy> ExchangeOps for Autodiff<B, C> {
    fn exchange(x: FloatTensor<Self>, exchange: Exchange) -> FloatTensor<Self> {
        let node = x.node();
        let x = x.into_primitive();
        match ExchangeBackward
            .prepare::<C>([node])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let y = B::exchange(x, exchange.clone());
                prep.finish(exchange, y)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::exchange(x, exchange)),
        }
    }
}

fn exchange(x: Tensor<2>, kind: Kind, ranks: &Arc<dyn Collectives>) -> Tensor<2> {
    let exchange = Exchange {
        kind,
        ranks: ranks.clone(),
    };
    Tensor::from_dispatch(Dispatch::exchange(x.into_dispatch(), exchange))
}

/// From `[t, k]` of this rank's tokens to `[n t, k]` of the tokens of all ranks.
pub fn gather_rows(x: Tensor<2>, ranks: &Arc<dyn Collectives>) -> Tensor<2> {
    exchange(x, Kind::GatherRows, ranks)
}

/// From terms `[n t, k]` for the tokens of all ranks to their sums over ranks for this rank's tokens, `[t, k]`.
pub fn scatter_sum(x: Tensor<2>, ranks: &Arc<dyn Collectives>) -> Tensor<2> {
    exchange(x, Kind::ScatterSum, ranks)
}

/// From this rank's columns for the tokens of all ranks, `[n t, c]`, to all columns for its tokens, `[t, n c]`.
pub fn columns_to_tokens(x: Tensor<2>, ranks: &Arc<dyn Collectives>) -> Tensor<2> {
    exchange(x, Kind::ColumnsToTokens, ranks)
}

/// From all columns for this rank's tokens, `[t, n c]`, to its columns for the tokens of all ranks, `[n t, c]`.
pub fn tokens_to_columns(x: Tensor<2>, ranks: &Arc<dyn Collectives>) -> Tensor<2> {
    exchange(x, Kind::TokensToColumns, ranks)
}

/// From this rank's columns `[t, c]` to all columns `[t, n c]` of tokens that all ranks have; without a gradient.
pub fn gather_columns(x: Tensor<2>, ranks: &Arc<dyn Collectives>) -> Tensor<2> {
    exchange(x, Kind::GatherColumns, ranks)
}

/// The sum of `x` over ranks; without a gradient.
pub fn sum(x: Tensor<2>, ranks: &Arc<dyn Collectives>) -> Tensor<2> {
    exchange(x, Kind::Sum, ranks)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};
    use collectives::thread_ranks;

    const RANKS: usize = 3;
    const TOKENS: usize = 2;

    /// Different small integers on each rank, whose sums are exact.
    fn numbers(rank: usize, salt: usize, [rows, width]: [usize; 2]) -> Vec<f32> {
        let values = 0..rows * width;
        values
            .map(|i| ((i * 7 + rank * 31 + salt * 13) % 17) as f32 - 8.0)
            .collect()
    }

    fn tensor(rank: usize, salt: usize, shape: [usize; 2], device: &Device) -> Tensor<2> {
        Tensor::from_data(TensorData::new(numbers(rank, salt, shape), shape), device)
    }

    fn values(x: Tensor<2>) -> Vec<f32> {
        x.into_data().iter::<f32>().collect()
    }

    type Apply = fn(Tensor<2>, &Arc<dyn Collectives>) -> Tensor<2>;

    /// `<g, A x> = <A^T g, x>` over all ranks together, for the gradient `A^T g` that the backward pass gives.
    #[test]
    fn gradients_are_transposes() {
        let exchanges: [(Apply, [usize; 2]); 4] = [
            (gather_rows, [TOKENS, 5]),
            (scatter_sum, [RANKS * TOKENS, 5]),
            (columns_to_tokens, [RANKS * TOKENS, 4]),
            (tokens_to_columns, [TOKENS, 4 * RANKS]),
        ];
        for (number, (apply, shape)) in exchanges.into_iter().enumerate() {
            let products = thread_ranks(RANKS, |ranks| {
                let device = Device::flex();
                let x = tensor(ranks.rank(), 0, shape, &device.clone().autodiff()).require_grad();
                let y = apply(x.clone(), &ranks);
                let g = tensor(ranks.rank(), 1, y.dims(), &device.clone().autodiff());
                let gradients = (y.clone() * g.clone()).sum().backward();
                let Some(transposed) = x.grad(&gradients) else {
                    panic!("exchange {number} has no gradient")
                };
                let dot = |a: Tensor<2>, b: Tensor<2>| (a * b).sum().into_scalar::<f32>();
                [dot(y.inner(), g.inner()), dot(transposed, x.inner())]
            });
            let [left, right] = [0, 1].map(|at| products.iter().map(|p| p[at]).sum::<f32>());
            assert_eq!(left, right, "exchange {number}");
            assert!(left != 0.0, "exchange {number}");
        }
    }

    #[test]
    fn columns_and_tokens_are_those_of_their_ranks() {
        let outputs = thread_ranks(RANKS, |ranks| {
            let device = Device::flex();
            // All ranks draw the same whole, [tokens of all ranks, all columns].
            let whole = tensor(0, 0, [RANKS * TOKENS, 4 * RANKS], &device);
            let tokens = whole.clone().narrow(0, ranks.rank() * TOKENS, TOKENS);
            let columns = whole.clone().narrow(1, 4 * ranks.rank(), 4);
            let found = [
                columns_to_tokens(columns.clone(), &ranks),
                tokens_to_columns(tokens.clone(), &ranks),
                gather_rows(tokens.clone(), &ranks),
                gather_columns(columns.clone(), &ranks),
                sum(columns.clone(), &ranks),
            ];
            let sums = whole.clone().reshape([RANKS * TOKENS, RANKS, 4]);
            let sums = sums.sum_dim(1).reshape([RANKS * TOKENS, 4]);
            let expected = [tokens, columns, whole.clone(), whole, sums];
            (found.map(values), expected.map(values))
        });
        for (found, expected) in outputs {
            assert_eq!(found, expected);
        }
    }
}
