//! Fused operations of a decoder layer.

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
#[cfg(not(feature = "portable-math"))]
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::DType;

use super::{floats, id_slice, ids, rounded, rounding, singles, tensor};
use crate::kernels::adam_step::AdamStep;
use crate::kernels::attention_shape::AttentionShape;
use crate::kernels::cpu::cached_attention::{self, CacheShape, Cached};
use crate::kernels::cpu::matmul::{self, Matrix};
use crate::kernels::cpu::{adam, attention, cross_entropy, rms_norm, swiglu};
use crate::kernels::fused::FusedOps;

/// A matrix in f32 that a product reads; a transposed weight is not copied.
struct Operand(FlexTensor);

impl Operand {
    fn of(tensor: &FlexTensor) -> Self {
        let is_matrix = tensor.dtype() == DType::F32 && tensor.shape().num_dims() == 2;
        let forward = tensor.layout().strides().iter().all(|stride| *stride > 0);
        match is_matrix && forward {
            true => Self(tensor.clone()),
            false => Self(singles(tensor)),
        }
    }

    fn matrix(&self) -> Matrix {
        let layout = self.0.layout();
        let strides = [layout.strides()[0], layout.strides()[1]];
        Matrix::strided(self.0.storage(), layout.start_offset(), strides)
    }
}

/// Keys or values `[batch, heads, tokens, head_dim]` as they are if the tokens of a head are adjacent, as in a cache with space for
/// further tokens; else a contiguous copy.
fn with_adjacent_rows(stored: FlexTensor) -> FlexTensor {
    let width = stored.shape()[3] as isize;
    match *stored.layout().strides() {
        [batch, head, token, 1] if token == width && batch > 0 && head > 0 => stored,
        _ => stored.to_contiguous(),
    }
}

/// Of a tensor from [`with_adjacent_rows`].
fn cached(stored: &FlexTensor) -> Cached<'_> {
    let (layout, values) = (stored.layout(), stored.storage());
    let stride = |dimension: usize| layout.strides()[dimension].unsigned_abs();
    Cached {
        values: &values[layout.start_offset()..],
        strides: [stride(0), stride(1)],
    }
}

/// `left right`, `[m, k] x [k, n]`.
fn product(left: Matrix, right: Matrix, (m, k, n): (usize, usize, usize)) -> Vec<f32> {
    let mut out = Vec::with_capacity(m * n);
    let values = Matrix::reserved(&mut out, n);
    matmul::tiled_matmul(values, left, right, (m, k, n), matmul::TILES);
    // SAFETY: the tiles of the product cover the matrix, and each writes all of its values.
    unsafe { out.set_len(m * n) };
    out
}

impl FusedOps for Flex {
    fn causal_attention(
        qkv: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let AttentionShape {
            batch,
            seq,
            n_heads,
            head_dim,
            ..
        } = shape;
        let (dtype, qkv) = (qkv.dtype(), singles(&qkv));
        let mut out = vec![0.0; batch * seq * n_heads * head_dim];
        let mut log_sums = vec![0.0; batch * n_heads * seq];
        let round = rounding(dtype);
        attention::attention(floats(&qkv), &shape, round, &mut out, &mut log_sums);
        (
            rounded(out, [batch, seq, n_heads * head_dim], dtype),
            tensor(log_sums, [batch, n_heads, seq]),
        )
    }

    fn causal_attention_backward(
        qkv: FloatTensor<Self>,
        out: FloatTensor<Self>,
        log_sums: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        shape: AttentionShape,
    ) -> FloatTensor<Self> {
        let dims = [qkv.shape()[0], qkv.shape()[1], qkv.shape()[2]];
        let dtype = qkv.dtype();
        let (qkv, out, grad) = (singles(&qkv), singles(&out), singles(&grad));
        let mut dqkv = vec![0.0; dims.iter().product()];
        let saved = (floats(&out), floats(&log_sums), floats(&grad));
        attention::attention_backward(floats(&qkv), saved, &shape, rounding(dtype), &mut dqkv);
        rounded(dqkv, dims, dtype)
    }

    fn attend_to_cache(
        query: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        values: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let [batch, n_heads, head_dim] = [query.shape()[0], query.shape()[1], query.shape()[2]];
        let shape = CacheShape {
            n_heads,
            n_kv_heads: keys.shape()[1],
            tokens: keys.shape()[2],
            head_dim,
        };
        let (query, keys, values) = (
            query.to_contiguous(),
            with_adjacent_rows(keys),
            with_adjacent_rows(values),
        );
        let mut out = vec![0.0; batch * n_heads * head_dim];
        let (keys, values) = (cached(&keys), cached(&values));
        cached_attention::attend(floats(&query), keys, values, shape, &mut out);
        tensor(out, [batch, n_heads, head_dim])
    }

    fn rms_norm(x: FloatTensor<Self>, gamma: FloatTensor<Self>, epsilon: f64) -> FloatTensor<Self> {
        let dims = [x.shape()[0], x.shape()[1], x.shape()[2]];
        let (x, gamma) = (x.to_contiguous(), gamma.to_contiguous());
        let mut out = vec![0.0; dims.iter().product()];
        rms_norm::rms_norm(floats(&x), floats(&gamma), epsilon as f32, &mut out);
        tensor(out, dims)
    }

    fn rms_norm_backward(
        x: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        epsilon: f64,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let dims = [x.shape()[0], x.shape()[1], x.shape()[2]];
        let (x, gamma, grad) = (
            x.to_contiguous(),
            gamma.to_contiguous(),
            grad.to_contiguous(),
        );
        let mut dx = vec![0.0; dims.iter().product()];
        let dgamma = rms_norm::rms_norm_backward(
            floats(&x),
            floats(&gamma),
            floats(&grad),
            epsilon as f32,
            &mut dx,
        );
        (tensor(dx, dims), tensor(dgamma, [dims[2]]))
    }

    fn weight_product(x: FloatTensor<Self>, weight: FloatTensor<Self>) -> FloatTensor<Self> {
        let [rows, inputs, outputs] = [x.shape()[0], x.shape()[1], weight.shape()[1]];
        let dtype = x.dtype();
        let (x, weight) = (Operand::of(&x), Operand::of(&weight));
        let out = product(x.matrix(), weight.matrix(), (rows, inputs, outputs));
        rounded(out, [rows, outputs], dtype)
    }

    fn weight_product_backward(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [rows, inputs, outputs] = [x.shape()[0], x.shape()[1], weight.shape()[1]];
        let dtype = x.dtype();
        let (x, weight, grad) = (Operand::of(&x), Operand::of(&weight), Operand::of(&grad));
        let (weight, x) = (weight.matrix().transposed(), x.matrix().transposed());
        let dx = product(grad.matrix(), weight, (rows, outputs, inputs));
        let dweight = product(x, grad.matrix(), (inputs, rows, outputs));
        (
            rounded(dx, [rows, inputs], dtype),
            rounded(dweight, [inputs, outputs], dtype),
        )
    }

    #[cfg(not(feature = "portable-math"))]
    fn batched_product(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        if left.dtype() == DType::F32 {
            return Self::float_matmul(left, right);
        }
        let dtype = left.dtype();
        let product = Self::float_matmul(singles(&left), singles(&right)).to_contiguous();
        rounded(floats(&product).to_vec(), product.shape(), dtype)
    }

    #[cfg(feature = "portable-math")]
    fn batched_product(left: FloatTensor<Self>, right: FloatTensor<Self>) -> FloatTensor<Self> {
        let dtype = left.dtype();
        let (left, right) = (singles(&left), singles(&right));
        let mut dims = left.shape().to_vec();
        let (m, k) = (dims[dims.len() - 2], dims[dims.len() - 1]);
        let n = right.shape()[dims.len() - 1];
        let batch = dims[..dims.len() - 2].iter().product();
        let mut out = vec![0.0; batch * m * n];
        matmul::batched_matmul(&mut out, floats(&left), floats(&right), (batch, m, k, n));
        if let Some(columns) = dims.last_mut() {
            *columns = n;
        }
        rounded(out, dims, dtype)
    }

    fn square_sum(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let x = x.to_contiguous();
        tensor(vec![adam::square_sum(floats(&x)) as f32], [1])
    }

    fn swiglu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (rows, f) = (x.shape()[0], x.shape()[1] / 2);
        let (dtype, x) = (x.dtype(), singles(&x));
        let mut out = vec![0.0; rows * f];
        swiglu::swiglu(floats(&x), f, &mut out);
        rounded(out, [rows, f], dtype)
    }

    fn swiglu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        let (rows, f) = (x.shape()[0], x.shape()[1] / 2);
        let dtype = x.dtype();
        let (x, grad) = (singles(&x), singles(&grad));
        let mut out = vec![0.0; rows * 2 * f];
        swiglu::swiglu_backward(floats(&x), floats(&grad), f, &mut out);
        rounded(out, [rows, 2 * f], dtype)
    }

    fn cross_entropy(
        mut logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (rows, vocab) = (logits.shape()[0], logits.shape()[1]);
        logits = logits.to_contiguous();
        let (targets, mut out) = (ids(targets), vec![0.0; rows]);
        // Without a copy where nothing else reads the logits, as in training.
        let values = logits.storage_mut();
        cross_entropy::cross_entropy(values, id_slice(&targets), vocab, &mut out);
        (tensor(out, [rows]), logits)
    }

    fn cross_entropy_backward(
        mut saved: FloatTensor<Self>,
        targets: IntTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let vocab = saved.shape()[1];
        saved = saved.to_contiguous();
        let (targets, grad) = (ids(targets), grad.to_contiguous());
        let values = saved.storage_mut();
        cross_entropy::cross_entropy_backward(values, id_slice(&targets), floats(&grad), vocab);
        saved
    }

    fn adamw(
        mut values: FloatTensor<Self>,
        grad: FloatTensor<Self>,
        mut mean: FloatTensor<Self>,
        mut square: FloatTensor<Self>,
        decay: f32,
        step: AdamStep,
    ) -> (FloatTensor<Self>, FloatTensor<Self>, FloatTensor<Self>) {
        let grad = grad.to_contiguous();
        (values, mean, square) = (
            values.to_contiguous(),
            mean.to_contiguous(),
            square.to_contiguous(),
        );
        adam::adamw(
            floats(&grad),
            values.storage_mut(),
            mean.storage_mut(),
            square.storage_mut(),
            decay,
            step,
        );
        (values, mean, square)
    }
}
