//! Causal attention with rotary position embedding, by blocks of queries against the keys up to their last.
//!
//! With `qkv` in bf16 the operands of products, rotated queries and keys, values, probabilities and their gradients, are rounded
//! to bf16, and so are the products; rotations, softmax and sums over blocks are in f32.

use burn::backend::tensor::{Device, FloatTensor};
use burn::backend::{Backend, DType, Shape, TensorMetadata, get_or_init_device_settings};
use burn::tensor::TensorData;

use super::Operand;
use super::lookup::pieces;
use crate::kernels::attention_shape::AttentionShape;

/// Most bytes of scores in memory at once, or those of one query in every head if they are more.
pub const MAX_BYTES: usize = 256 << 20;

/// Rotated queries and keys, for the forward and the backward pass. `groups` is `batch n_kv_heads`; the heads that share
/// a key head are one group.
struct Rotated<B: Backend> {
    /// `[groups, heads of a group, seq, head_dim]`, scaled.
    queries: Operand<B>,
    /// `[groups, seq, head_dim]`
    keys: Operand<B>,
    /// `[groups, seq, head_dim]`
    values: Operand<B>,
    rotation: Rotation<B>,
    /// Format of the products' operands; all fields are in f32.
    format: DType,
}

/// Cosine and sine of every position's angles, `[1, 1, seq, head_dim]` each.
struct Rotation<B: Backend> {
    cos: Operand<B>,
    sin: Operand<B>,
}

impl<B: Backend> Rotation<B> {
    /// Angles of `coarse + fine` by the addition theorems: the host, which has f64 on every backend,
    /// computes `2 sqrt(seq)` positions instead of `seq`.
    fn new(shape: &AttentionShape, device: &Device<B>, dtype: DType) -> Self {
        let (seq, half) = (shape.seq, shape.head_dim / 2);
        let fine = (seq as f64).sqrt().ceil() as usize;
        let coarse = seq.div_ceil(fine);
        let table = |count: usize, stride: usize, function: fn(f64) -> f64| {
            let values: Vec<f32> = (0..count * half)
                .map(|i| {
                    let frequency = shape.rotary.frequency(i % half, half);
                    function((i / half * stride) as f64 * frequency) as f32
                })
                .collect();
            let data = TensorData::new(values, [count, half]).convert_dtype(dtype);
            Operand::<B>(B::float_from_data(data, device))
        };
        let coarse = |function| table(coarse, fine, function).reshape([coarse, 1, half]);
        let fine = |function| table(fine, 1, function).reshape([1, fine, half]);
        let sin: fn(f64) -> f64 = f64::sin;
        let cos: fn(f64) -> f64 = f64::cos;
        let whole = |x: Operand<B>| {
            let [coarse, fine, _] = x.dims();
            let x = x.reshape([1, 1, coarse * fine, half]).narrow(2, 0..seq);
            Operand::cat(vec![x.clone(), x], 3)
        };
        Self {
            cos: whole(coarse(cos) * fine(cos) - coarse(sin) * fine(sin)),
            sin: whole(coarse(sin) * fine(cos) + coarse(cos) * fine(sin)),
        }
    }

    /// `x [.., .., seq, head_dim]` rotated by a quarter turn: `(-high, low)`.
    fn turned(x: &Operand<B>) -> Operand<B> {
        let [_, _, _, head_dim] = x.dims();
        let (low, high) = (0..head_dim / 2, head_dim / 2..head_dim);
        Operand::cat(vec![-x.narrow(3, high), x.narrow(3, low)], 3)
    }

    fn forward(&self, x: Operand<B>) -> Operand<B> {
        let turned = Self::turned(&x);
        x * self.cos.clone() + turned * self.sin.clone()
    }

    /// The transpose of [`Self::forward`], for gradients.
    fn backward(&self, x: Operand<B>) -> Operand<B> {
        let turned = Self::turned(&x);
        x * self.cos.clone() - turned * self.sin.clone()
    }
}

/// [`crate::kernels::FusedOps::attend_to_cache`].
pub fn attend_to_cache<B: Backend>(
    query: FloatTensor<B>,
    keys: FloatTensor<B>,
    values: FloatTensor<B>,
) -> FloatTensor<B> {
    let (query, keys, values) = (Operand::<B>(query), Operand(keys), Operand(values));
    let [batch, heads, head_dim] = query.dims();
    let [_, kv_heads, _, _] = keys.dims();
    // The query heads that share a key head are the rows of one product.
    let query = query.reshape([batch, kv_heads, heads / kv_heads, head_dim]);
    let scores = query.matmul(keys.swap(2, 3)) * (head_dim as f32).powf(-0.5);
    let exponentials = (scores.clone() - scores.max(3)).exp();
    let probabilities = exponentials.clone() / exponentials.sum(3);
    let mixed = probabilities.matmul(values);
    mixed.reshape([batch, heads, head_dim]).0
}

fn scale(shape: &AttentionShape) -> f32 {
    (shape.head_dim as f32).powf(-0.5)
}

/// `[batch, seq, heads head_dim]` to `[batch, heads, seq, head_dim]`.
fn heads_first<B: Backend>(x: FloatTensor<B>, shape: &AttentionShape) -> Operand<B> {
    let x = Operand::<B>(x);
    let [batch, seq, width] = x.dims();
    let heads = width / shape.head_dim;
    x.reshape([batch, seq, heads, shape.head_dim]).swap(1, 2)
}

/// The inverse of [`heads_first`].
fn heads_last<B: Backend>(x: Operand<B>) -> FloatTensor<B> {
    let [batch, heads, seq, head_dim] = x.dims();
    x.swap(1, 2).reshape([batch, seq, heads * head_dim]).0
}

impl<B: Backend> Rotated<B> {
    fn new(qkv: FloatTensor<B>, shape: &AttentionShape) -> Self {
        let &AttentionShape {
            batch,
            seq,
            n_heads,
            n_kv_heads,
            head_dim,
            ..
        } = shape;
        let format = qkv.dtype();
        let rotation = Rotation::new(shape, &qkv.device(), DType::F32);
        let qkv = heads_first::<B>(qkv, shape).cast(DType::F32);
        let values = n_heads + n_kv_heads;
        let (queries, keys) = (qkv.narrow(1, 0..n_heads), qkv.narrow(1, n_heads..values));
        let values = qkv.narrow(1, values..values + n_kv_heads);
        let (groups, group) = (batch * n_kv_heads, n_heads / n_kv_heads);
        let queries = rotation.forward(queries) * scale(shape);
        Self {
            queries: queries.reshape([groups, group, seq, head_dim]),
            keys: rotation.forward(keys).reshape([groups, seq, head_dim]),
            values: values.reshape([groups, seq, head_dim]),
            rotation,
            format,
        }
    }

    /// The blocks of queries, first to last.
    fn blocks(&self, max_bytes: usize) -> Vec<std::ops::Range<usize>> {
        let [groups, group, seq, _] = self.queries.dims();
        let bytes = groups * group * seq * self.queries.0.dtype().size();
        pieces(seq, bytes, max_bytes).collect()
    }

    /// Scores of a block of queries with the keys up to its last, `[groups, group, rows, seen]`; keys after a
    /// query's position score minus infinity.
    fn scores(&self, block: &std::ops::Range<usize>) -> Operand<B> {
        let [groups, group, _, _] = self.queries.dims();
        let (rows, seen) = (block.len(), block.end);
        let scores = stacked(self.queries.narrow(2, block.clone()))
            .product_in(self.keys.narrow(1, 0..seen).swap(1, 2), self.format)
            .reshape([groups, group, rows, seen]);
        let device = scores.device();
        let settings = get_or_init_device_settings::<B>(&device);
        let positions = |range: std::ops::Range<usize>, shape: [usize; 2]| {
            let range = range.start as i64..range.end as i64;
            let positions = B::int_arange(range, &device, settings.int_dtype);
            B::int_reshape(positions, Shape::from(shape))
        };
        let ahead = B::int_lower(
            B::int_expand(positions(block.clone(), [rows, 1]), [rows, seen].into()),
            B::int_expand(positions(0..seen, [1, seen]), [rows, seen].into()),
            settings.bool_dtype,
        );
        let zeros = Operand::<B>::zeros([rows, seen], &device, scores.0.dtype());
        let mask = B::float_mask_fill(zeros.0, ahead, f32::NEG_INFINITY.into());
        scores + Operand(mask).reshape([1, 1, rows, seen])
    }
}

/// The heads of a group stacked, `[groups, group rows, columns]`, for one product.
fn stacked<B: Backend>(x: Operand<B>) -> Operand<B> {
    let [groups, group, rows, columns] = x.dims();
    x.reshape([groups, group * rows, columns])
}

/// [`crate::kernels::FusedOps::causal_attention`], with at most `max_bytes` of scores at once.
pub fn attention<B: Backend>(
    qkv: FloatTensor<B>,
    shape: &AttentionShape,
    max_bytes: usize,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let &AttentionShape {
        batch,
        seq,
        n_heads,
        head_dim,
        ..
    } = shape;
    let rotated = Rotated::<B>::new(qkv, shape);
    let (mut outs, mut log_sums) = (Vec::new(), Vec::new());
    for block in rotated.blocks(max_bytes) {
        let scores = rotated.scores(&block);
        let [groups, group, rows, _] = scores.dims();
        let peak = scores.clone().max(3);
        let exponentials = (scores - peak.clone()).exp();
        let sum = exponentials.clone().sum(3);
        let out = stacked(exponentials / sum.clone())
            .product_in(rotated.values.narrow(1, 0..block.end), rotated.format)
            .reshape([groups, group, rows, head_dim]);
        outs.push(out);
        log_sums.push(peak + sum.log());
    }
    let out = Operand::cat(outs, 2).reshape([batch, n_heads, seq, head_dim]);
    let log_sums = Operand::cat(log_sums, 2).reshape([batch, n_heads, seq]);
    (heads_last(out.cast(rotated.format)), log_sums.0)
}

/// [`crate::kernels::FusedOps::causal_attention_backward`], with at most `max_bytes` each of
/// scores, probabilities and their gradients at once.
pub fn attention_backward<B: Backend>(
    qkv: FloatTensor<B>,
    (out, log_sums, grad): (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>),
    shape: &AttentionShape,
    max_bytes: usize,
) -> FloatTensor<B> {
    let &AttentionShape {
        batch,
        seq,
        n_heads,
        n_kv_heads,
        head_dim,
        ..
    } = shape;
    let rotated = Rotated::<B>::new(qkv, shape);
    let [groups, group, _, _] = rotated.queries.dims();
    let format = rotated.format;
    let single = |x| heads_first::<B>(x, shape).cast(DType::F32);
    let (out, grad) = (single(out), single(grad));
    let along = (out * grad.clone()).sum(3).reshape([groups, group, seq, 1]);
    let grad = grad.reshape([groups, group, seq, head_dim]);
    let log_sums = Operand::<B>(log_sums).reshape([groups, group, seq, 1]);
    let mut queries = Vec::new();
    let (mut keys, mut values) = (None, None);
    // From the last block, the only one that attends to every key, to the first.
    for block in rotated.blocks(max_bytes).into_iter().rev() {
        let seen = 0..block.end;
        let key = rotated.keys.narrow(1, seen.clone());
        let query = stacked(rotated.queries.narrow(2, block.clone()));
        let dout = stacked(grad.narrow(2, block.clone()));
        let probabilities = (rotated.scores(&block) - log_sums.narrow(2, block.clone())).exp();
        let dprobabilities = dout
            .clone()
            .product_in(rotated.values.narrow(1, seen.clone()).swap(1, 2), format)
            .reshape(probabilities.dims::<4>());
        let dscores = probabilities.clone() * (dprobabilities - along.narrow(2, block.clone()));
        let (probabilities, dscores) = (stacked(probabilities), stacked(dscores));
        add(
            &mut values,
            seen.clone(),
            probabilities.swap(1, 2).product_in(dout, format),
        );
        let dkey = dscores.clone().swap(1, 2).product_in(query, format);
        add(&mut keys, seen, dkey);
        let query = dscores.product_in(key, format) * scale(shape);
        queries.push(query.reshape([groups, group, block.len(), head_dim]));
    }
    queries.reverse();
    let queries = Operand::cat(queries, 2).reshape([batch, n_heads, seq, head_dim]);
    let of_keys = |x: Option<Operand<B>>| match x {
        Some(x) => x.reshape([batch, n_kv_heads, seq, head_dim]),
        None => Operand::zeros(
            [batch, n_kv_heads, seq, head_dim],
            &queries.device(),
            queries.0.dtype(),
        ),
    };
    let parts = vec![
        rotated.rotation.backward(queries.clone()),
        rotated.rotation.backward(of_keys(keys)),
        of_keys(values),
    ];
    heads_last(Operand::cat(parts, 1).cast(format))
}

/// Adds `part` to the first keys of `sum`, whose first part has all keys.
fn add<B: Backend>(sum: &mut Option<Operand<B>>, seen: std::ops::Range<usize>, part: Operand<B>) {
    *sum = Some(match sum.take() {
        None => part,
        Some(sum) => {
            let added = sum.narrow(1, seen.clone()) + part;
            sum.replace(1, seen, added)
        }
    });
}
