//! Mixture of experts and product-key search.

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, Flex};
use burn::tensor::{DType, TensorData};

#[cfg(any(feature = "tch", feature = "cube"))]
use super::listed;
use super::{assert_close, floats, integers, numbers};
use crate::kernels::composed::{experts, lookup, routing};
use crate::kernels::experts::ExpertOps;
#[cfg(any(feature = "tch", feature = "cube"))]
use crate::kernels::product_key_search::SearchOps;
use crate::kernels::routes::Routes;

type Float<B> = FloatTensor<B>;
type Pair<B> = (Float<B>, Float<B>);

/// One implementation of [`ExpertOps`].
#[expect(
    clippy::type_complexity,
    reason = "the fields are the operations' signatures"
)]
pub struct Mixture<B: Backend> {
    dispatch_tokens: fn(Float<B>, Routes<B>) -> Float<B>,
    combine_outputs: fn(Float<B>, Float<B>, Routes<B>) -> Float<B>,
    combine_outputs_backward: fn(Float<B>, Float<B>, Float<B>, Routes<B>) -> Pair<B>,
    grouped_matmul: fn(Float<B>, Float<B>, IntTensor<B>) -> Float<B>,
    grouped_matmul_backward: fn(Float<B>, Float<B>, Float<B>, IntTensor<B>) -> Pair<B>,
}

#[cfg(any(feature = "tch", feature = "cube"))]
impl<B: ExpertOps> Mixture<B> {
    /// The backend's implementation.
    pub fn own() -> Self {
        Self {
            dispatch_tokens: B::dispatch_tokens,
            combine_outputs: B::combine_outputs,
            combine_outputs_backward: B::combine_outputs_backward,
            grouped_matmul: B::grouped_matmul,
            grouped_matmul_backward: B::grouped_matmul_backward,
        }
    }
}

/// Assignments of tokens to experts, listed token by token.
struct Assigned {
    tokens: usize,
    experts: usize,
    /// Token and expert.
    pairs: Vec<(usize, usize)>,
}

impl Assigned {
    /// Expert 1 and token 2 have no rows; the others have one to three.
    fn few() -> Self {
        Self {
            tokens: 5,
            experts: 4,
            pairs: vec![(0, 2), (0, 0), (1, 3), (3, 0), (3, 2), (3, 3), (4, 0)],
        }
    }

    /// Two experts for each of many tokens; expert 2 has no rows.
    fn many() -> Self {
        let of_token = |token: usize| [(token, [0, 1, 3][token % 3]), (token, 4)];
        Self {
            tokens: 70,
            experts: 5,
            pairs: (0..70).flat_map(of_token).collect(),
        }
    }

    fn routes<B: Backend>(&self, device: &Device<B>) -> Routes<B> {
        let pairs = self.pairs.iter();
        let pairs: Vec<i64> = pairs
            .map(|(token, expert)| (token * self.experts + expert) as i64)
            .collect();
        let len = pairs.len();
        let pairs = integers::<B>(&TensorData::new(pairs, [len]), device);
        routing::sort_by_expert::<B>(pairs, self.tokens, self.experts)
    }
}

impl<B: Backend> Mixture<B> {
    /// The composed bodies on the backend.
    pub fn composed() -> Self {
        Self {
            dispatch_tokens: experts::dispatch_tokens::<B>,
            combine_outputs: |y, weights, routes| {
                experts::combine_outputs::<B>(y, weights, routes, |y, ids, weights| {
                    lookup::bag::<B>(y, ids, weights, 1 << 8)
                })
            },
            combine_outputs_backward: experts::combine_outputs_backward::<B>,
            grouped_matmul: experts::grouped_matmul::<B>,
            grouped_matmul_backward: experts::grouped_matmul_backward::<B>,
        }
    }

    /// Panics where this differs from the CPU kernels by more than `tolerance` of the largest element.
    pub fn agree(&self, device: &Device<B>, tolerance: f32) {
        self.exchanges_agree(&Assigned::few(), 12, device, tolerance);
        self.exchanges_agree(&Assigned::many(), 37, device, tolerance);
        self.products_agree((Assigned::few(), [12, 20]), device, DType::F32, tolerance);
        self.products_agree((Assigned::many(), [37, 19]), device, DType::F32, tolerance);
        self.products_agree((Assigned::few(), [12, 20]), device, DType::BF16, 1e-2);
    }

    fn exchanges_agree(
        &self,
        assigned: &Assigned,
        inputs: usize,
        device: &Device<B>,
        tolerance: f32,
    ) {
        let (tokens, rows) = (assigned.tokens, assigned.pairs.len());
        let here = |data: &TensorData| floats::<B>(data, DType::F32, device);
        let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
        let same = |what: &str, found, expected| {
            assert_close::<B, Flex>(what, found, expected, tolerance);
        };
        let routes = || assigned.routes::<B>(device);
        let their_routes = || assigned.routes::<Flex>(&Default::default());

        let x = numbers("x of tokens", [tokens, inputs]);
        same(
            "dispatch",
            (self.dispatch_tokens)(here(&x), routes()),
            Flex::dispatch_tokens(there(&x), their_routes()),
        );

        let y = numbers("y at rows", [rows, inputs]);
        let weights = numbers("weights of assignments", [rows]);
        same(
            "combine",
            (self.combine_outputs)(here(&y), here(&weights), routes()),
            Flex::combine_outputs(there(&y), there(&weights), their_routes()),
        );
        let found = (self.combine_outputs_backward)(here(&x), here(&y), here(&weights), routes());
        let (x, y, weights) = (there(&x), there(&y), there(&weights));
        let expected = Flex::combine_outputs_backward(x, y, weights, their_routes());
        same("gradient of rows", found.0, expected.0);
        same("gradient of weights", found.1, expected.1);
    }

    fn products_agree(
        &self,
        (assigned, [inputs, outputs]): (Assigned, [usize; 2]),
        device: &Device<B>,
        dtype: DType,
        tolerance: f32,
    ) {
        let (rows, experts) = (assigned.pairs.len(), assigned.experts);
        let here = |data: &TensorData| floats::<B>(data, dtype, device);
        let there = |data: &TensorData| floats::<Flex>(data, dtype, &Default::default());
        let same = |what: &str, found, expected| {
            assert_close::<B, Flex>(&format!("{what}, {dtype:?}"), found, expected, tolerance);
        };
        let offsets = || assigned.routes::<B>(device).expert_offsets;
        let their_offsets = || assigned.routes::<Flex>(&Default::default()).expert_offsets;
        let y = numbers("y at rows", [rows, inputs]);
        let matrices = numbers("matrices", [experts, inputs, outputs]);
        let grad = numbers("grad at rows", [rows, outputs]);
        same(
            "expert product",
            (self.grouped_matmul)(here(&y), here(&matrices), offsets()),
            Flex::grouped_matmul(there(&y), there(&matrices), their_offsets()),
        );
        let found =
            (self.grouped_matmul_backward)(here(&grad), here(&y), here(&matrices), offsets());
        let (grad, y, matrices) = (there(&grad), there(&y), there(&matrices));
        let expected = Flex::grouped_matmul_backward(grad, y, matrices, their_offsets());
        same("gradient of rows through the experts", found.0, expected.0);
        same("gradient of matrices", found.1, expected.1);
    }
}

/// Panics where a backend's product-key search differs from the CPU kernels'. In bf16 equal scores are frequent, of which either
/// may be found: the scores are compared, and gradients of the same slots.
#[cfg(any(feature = "tch", feature = "cube"))]
pub fn searches_agree<B: SearchOps>(device: &Device<B>, tolerance: f32) {
    search_agrees::<B>(device, DType::F32, tolerance);
    search_agrees::<B>(device, DType::BF16, 2e-2);
}

#[cfg(any(feature = "tch", feature = "cube"))]
fn search_agrees<B: SearchOps>(device: &Device<B>, dtype: DType, tolerance: f32) {
    let (tokens, heads, n_keys, half, top_k) = (9, 2, 24, 8, 5);
    let queries = numbers("queries", [tokens, heads * 2, half]);
    let keys = numbers("keys", [heads * 2, n_keys, half]);
    let grad = numbers("grad of scores", [tokens, heads, top_k]);
    let here = |data: &TensorData| floats::<B>(data, dtype, device);
    let there = |data: &TensorData| floats::<Flex>(data, dtype, &Default::default());
    let single = |data: &TensorData| floats::<B>(data, DType::F32, device);
    let their_single = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
    let (found, ids) = B::product_key_search(here(&queries), here(&keys), top_k);
    let (expected, their_ids) = Flex::product_key_search(there(&queries), there(&keys), top_k);
    assert_close::<B, Flex>("scores found", found, expected, tolerance);
    if dtype == DType::F32 {
        assert_eq!(listed::<B>(ids), listed::<Flex>(their_ids.clone()));
    }
    let ids = TensorData::new(listed::<Flex>(their_ids.clone()), [tokens, heads, top_k]);
    let ids = integers::<B>(&ids, device);
    let found = B::product_key_search_backward(single(&grad), ids, here(&queries), here(&keys));
    let expected = Flex::product_key_search_backward(
        their_single(&grad),
        their_ids,
        there(&queries),
        there(&keys),
    );
    assert_close::<B, Flex>("gradient of queries", found.0, expected.0, tolerance);
    assert_close::<B, Flex>("gradient of keys", found.1, expected.1, tolerance);
}
