//! Lookups by gathering, in pieces of bounded size, and product-key selection.

use burn::backend::tensor::{Device, FloatTensor, IndexingUpdateOp, IntTensor};
use burn::backend::{Backend, Shape, Slice, TensorMetadata, get_or_init_device_settings};
use burn::tensor::TensorData;
use std::ops::Range;

use super::Operand;

/// Most bytes of gathered rows in memory at once, or one token's rows if those are more.
pub const MAX_BYTES: usize = 64 << 20;

/// Ranges of tokens whose gathered rows fit into `max_bytes`.
pub(super) fn pieces(
    tokens: usize,
    bytes_per_token: usize,
    max_bytes: usize,
) -> impl Iterator<Item = Range<usize>> {
    let piece = (max_bytes / bytes_per_token.max(1)).clamp(1, tokens.max(1));
    (0..tokens)
        .step_by(piece)
        .map(move |first| first..tokens.min(first + piece))
}

/// Calls `each` with a range of tokens and their rows `[tokens, per_token, width]`, for all ranges, and concatenates the
/// results.
fn gathered<B: Backend>(
    table: FloatTensor<B>,
    ids: IntTensor<B>,
    max_bytes: usize,
    mut each: impl FnMut(Range<usize>, Operand<B>) -> Operand<B>,
) -> FloatTensor<B> {
    let table = Operand::<B>(table);
    let [_, width] = table.dims();
    let [tokens, per_token]: [usize; 2] = ids.shape().dims();
    let bytes = per_token * width * table.0.dtype().size();
    let parts = pieces(tokens, bytes, max_bytes)
        .map(|piece| {
            let count = piece.len();
            let slices = [Slice::from(piece.clone()), Slice::from(0..per_token)];
            let ids = B::int_reshape(
                B::int_slice(ids.clone(), &slices),
                Shape::from([count * per_token]),
            );
            let rows = table.clone().select(0, ids);
            each(piece, rows.reshape([count, per_token, width]))
        })
        .collect();
    Operand::cat(parts, 0).0
}

/// [`crate::kernels::LookupOps::bag`], gathering at most `max_bytes` bytes at once, in the format of the weights.
pub fn bag<B: Backend>(
    table: FloatTensor<B>,
    ids: IntTensor<B>,
    weights: FloatTensor<B>,
    max_bytes: usize,
) -> FloatTensor<B> {
    let weights = Operand::<B>(weights);
    gathered::<B>(table, ids, max_bytes, |piece, rows| {
        let [count, per_token, width] = rows.dims();
        let weights = weights.narrow(0, piece).reshape([count, 1, per_token]);
        let rows = rows.cast(weights.0.dtype());
        weights.matmul(rows).reshape([count, width])
    })
}

/// [`crate::kernels::LookupOps::dot`], gathering at most `max_bytes` bytes at once, in the format of the inputs.
pub fn dot<B: Backend>(
    table: FloatTensor<B>,
    ids: IntTensor<B>,
    inputs: FloatTensor<B>,
    max_bytes: usize,
) -> FloatTensor<B> {
    let inputs = Operand::<B>(inputs);
    gathered::<B>(table, ids, max_bytes, |piece, rows| {
        let [count, per_token, width] = rows.dims();
        let inputs = inputs.narrow(0, piece).reshape([count, width, 1]);
        let rows = rows.cast(inputs.0.dtype());
        rows.matmul(inputs).reshape([count, per_token])
    })
}

/// Pairs of ranks (a, b) that can be among the best `k`: (a+1)(b+1) <= k, since (a+1)(b+1) pairs score at least as high.
pub fn candidates(k: usize) -> (Vec<i64>, Vec<i64>) {
    (0..k)
        .flat_map(|a| (0..k / (a + 1)).map(move |b| (a as i64, b as i64)))
        .unzip()
}

/// Integers of the device's default width, `[values.len()]`.
pub(super) fn integers<B: Backend>(values: Vec<i64>, device: &Device<B>) -> IntTensor<B> {
    let dtype = get_or_init_device_settings::<B>(device).int_dtype;
    let len = values.len();
    let data = TensorData::new(values, [len]).convert_dtype(dtype.into());
    B::int_from_data(data, device)
}

/// The best `k` of the last of four dimensions, best first, and their indices.
pub fn best<B: Backend>(scores: FloatTensor<B>, k: usize) -> (FloatTensor<B>, IntTensor<B>) {
    let dtype = get_or_init_device_settings::<B>(&scores.device()).int_dtype;
    B::float_topk_with_indices(scores, 3, k, dtype)
}

/// [`crate::kernels::LookupOps::product_key_top_k`] by `best`, which finds the best `k` of the last of four dimensions.
/// Of equal scores either may be kept.
pub fn product_key_top_k<B: Backend>(
    scores: FloatTensor<B>,
    k: usize,
    best: impl Fn(FloatTensor<B>, usize) -> (FloatTensor<B>, IntTensor<B>),
) -> IntTensor<B> {
    let [heads, _, rows, n]: [usize; 4] = scores.shape().dims();
    let device = scores.device();
    let (values, indices) = best(scores, k);
    let (first, second) = candidates(k);
    let count = first.len();
    // The candidates of one half: their scores and their half-keys, `[heads, 1, rows, count]`.
    let half = |half: usize, ranks: Vec<i64>| {
        let slices = [
            Slice::from(0..heads),
            Slice::from(half..half + 1),
            Slice::from(0..rows),
            Slice::from(0..k),
        ];
        let ranks = integers::<B>(ranks, &device);
        let scores = B::float_slice(values.clone(), &slices);
        let keys = B::int_slice(indices.clone(), &slices);
        (
            Operand::<B>(B::float_select(scores, 3, ranks.clone())),
            B::int_select(keys, 3, ranks),
        )
    };
    let ((first, first_keys), (second, second_keys)) = (half(0, first), half(1, second));
    let pairs = B::int_add(B::int_mul_scalar(first_keys, n.into()), second_keys);
    let (_, chosen) = best((first + second).0, k);
    let shape = |count: usize| Shape::from([heads, rows, count]);
    B::int_gather(
        2,
        B::int_reshape(pairs, shape(count)),
        B::int_reshape(chosen, shape(k)),
    )
}

/// The half-keys of pairs, `[heads, rows, k]` each.
fn half_keys<B: Backend>(ids: IntTensor<B>, n: usize) -> (IntTensor<B>, IntTensor<B>) {
    let second = B::int_remainder_scalar(ids.clone(), n.into());
    // Some backends divide integers as floats and truncate: half a divisor is added so that a quotient is not one too low.
    let whole = B::int_add_scalar(B::int_sub(ids, second.clone()), (n / 2).into());
    (B::int_div_scalar(whole, n.into()), second)
}

/// [`crate::kernels::LookupOps::pair_scores`].
pub fn pair_scores<B: Backend>(scores: FloatTensor<B>, ids: IntTensor<B>) -> FloatTensor<B> {
    let scores = Operand::<B>(scores);
    let [heads, _, rows, n] = scores.dims();
    let half = |half: usize, keys: IntTensor<B>| {
        let scores = scores.narrow(1, half..half + 1).reshape([heads, rows, n]);
        Operand::<B>(B::float_gather(2, scores.0, keys))
    };
    let (first, second) = half_keys::<B>(ids, n);
    (half(0, first) + half(1, second)).0
}

/// [`crate::kernels::LookupOps::pair_scores_backward`].
///
/// A half-key may be in several pairs of one row. The scatter adds along the last dimension, which every backend does
/// serially or atomically.
pub fn pair_scores_backward<B: Backend>(
    grad: FloatTensor<B>,
    ids: IntTensor<B>,
    n: usize,
) -> FloatTensor<B> {
    let [heads, rows, _]: [usize; 3] = ids.shape().dims();
    let (device, dtype) = (grad.device(), grad.dtype());
    let half = |keys: IntTensor<B>| {
        let zeros = Operand::<B>::zeros([heads, rows, n], &device, dtype);
        let sums = B::float_scatter(2, zeros.0, keys, grad.clone(), IndexingUpdateOp::Add);
        Operand::<B>(sums).reshape([heads, 1, rows, n])
    };
    let (first, second) = half_keys::<B>(ids, n);
    Operand::cat(vec![half(first), half(second)], 1).0
}

/// [`crate::kernels::gather::GatherOps::select_rows_backward`] by Burn's own addition of rows, which is free of races on
/// every backend.
pub fn add_rows<B: Backend>(
    grad: FloatTensor<B>,
    ids: IntTensor<B>,
    rows: usize,
) -> FloatTensor<B> {
    let [_, width]: [usize; 2] = grad.shape().dims();
    let zeros = Operand::<B>::zeros([rows, width], &grad.device(), grad.dtype());
    B::float_select_assign(zeros.0, 0, ids, grad, IndexingUpdateOp::Add)
}
