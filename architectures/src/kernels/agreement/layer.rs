//! Fused operations of a decoder layer.

use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, Flex, Slice};
use burn::tensor::{DType, TensorData};

use super::{adam, assert_close, floats, ids, integers, numbers};
use crate::kernels::adam_step::AdamStep;
use crate::kernels::attention_shape::AttentionShape;
use crate::kernels::composed::{attention, layer, lookup};
use crate::kernels::fused::FusedOps;
#[cfg(any(feature = "tch", feature = "cube"))]
use crate::kernels::gather::GatherOps;
use crate::rotary::Rotary;

type Float<B> = FloatTensor<B>;

/// One implementation of [`FusedOps`].
#[expect(
    clippy::type_complexity,
    reason = "the fields are the operations' signatures"
)]
pub struct Layer<B: Backend> {
    attention: fn(Float<B>, AttentionShape) -> (Float<B>, Float<B>),
    attention_backward: fn(Float<B>, [Float<B>; 3], AttentionShape) -> Float<B>,
    attend_to_cache: fn(Float<B>, Float<B>, Float<B>) -> Float<B>,
    rms_norm: fn(Float<B>, Float<B>, f64) -> Float<B>,
    rms_norm_backward: fn(Float<B>, Float<B>, Float<B>, f64) -> (Float<B>, Float<B>),
    swiglu: fn(Float<B>) -> Float<B>,
    swiglu_backward: fn(Float<B>, Float<B>) -> Float<B>,
    cross_entropy: fn(Float<B>, IntTensor<B>) -> (Float<B>, Float<B>),
    cross_entropy_backward: fn(Float<B>, IntTensor<B>, Float<B>) -> Float<B>,
    square_sum: fn(Float<B>) -> Float<B>,
    adamw: fn([Float<B>; 4], f32, AdamStep) -> (Float<B>, Float<B>, Float<B>),
    select_rows_backward: fn(Float<B>, IntTensor<B>, usize) -> Float<B>,
}

/// Numbers that `dtype` represents exactly.
fn exact<const D: usize>(name: &str, shape: [usize; D], dtype: DType) -> TensorData {
    numbers(name, shape).convert_dtype(dtype)
}

#[cfg(any(feature = "tch", feature = "cube"))]
impl<B: FusedOps + GatherOps> Layer<B> {
    /// The backend's implementation.
    pub fn own() -> Self {
        Self {
            attention: B::causal_attention,
            attention_backward: |qkv, [out, log_sums, grad], shape| {
                B::causal_attention_backward(qkv, out, log_sums, grad, shape)
            },
            attend_to_cache: B::attend_to_cache,
            rms_norm: B::rms_norm,
            rms_norm_backward: B::rms_norm_backward,
            swiglu: B::swiglu,
            swiglu_backward: B::swiglu_backward,
            cross_entropy: B::cross_entropy,
            cross_entropy_backward: B::cross_entropy_backward,
            square_sum: B::square_sum,
            adamw: |[values, grad, mean, square], decay, step| {
                B::adamw(values, grad, mean, square, decay, step)
            },
            select_rows_backward: B::select_rows_backward,
        }
    }
}

impl<B: Backend> Layer<B> {
    /// The composed bodies on the backend.
    pub fn composed() -> Self {
        // Small enough that attention has several blocks.
        const MAX_BYTES: usize = 1 << 13;
        Self {
            attention: |qkv, shape| attention::attention::<B>(qkv, &shape, MAX_BYTES),
            attention_backward: |qkv, [out, log_sums, grad], shape| {
                attention::attention_backward::<B>(qkv, (out, log_sums, grad), &shape, MAX_BYTES)
            },
            attend_to_cache: attention::attend_to_cache::<B>,
            rms_norm: layer::rms_norm::<B>,
            rms_norm_backward: layer::rms_norm_backward::<B>,
            swiglu: layer::swiglu::<B>,
            swiglu_backward: layer::swiglu_backward::<B>,
            cross_entropy: |logits, targets| {
                (layer::cross_entropy::<B>(logits.clone(), targets), logits)
            },
            cross_entropy_backward: layer::cross_entropy_backward::<B>,
            square_sum: layer::square_sum::<B>,
            adamw: |[values, grad, mean, square], decay, step| {
                layer::adamw::<B>(values, grad, mean, square, decay, step)
            },
            select_rows_backward: lookup::add_rows::<B>,
        }
    }

    /// Panics where this differs from the CPU kernels by more than `tolerance` of the largest element. Activations and their
    /// gradients are in `dtype`; the CPU gets the same numbers in f32.
    pub fn agree(&self, device: &Device<B>, dtype: DType, tolerance: f32) {
        self.attention_agrees(device, [dtype, DType::F32], tolerance);
        self.cached_attention_agrees(device, tolerance);
        self.rows_agree(device, dtype, tolerance);
        self.squares_agree(device, dtype, tolerance);
        self.steps_agree(device, tolerance);
        self.rows_add_up(device, tolerance);
    }

    /// Panics where this differs from the CPU kernels, both in bf16, by more than rounding: a last digit of the largest element, and
    /// what a rounded score changes.
    pub fn agree_in_bf16(&self, device: &Device<B>) {
        self.attention_agrees(device, [DType::BF16, DType::BF16], 2e-2);
        self.gates_agree(device, DType::BF16, 1e-2);
    }

    fn attention_agrees(&self, device: &Device<B>, [dtype, theirs]: [DType; 2], tolerance: f32) {
        for (seq, n_heads, n_kv_heads, head_dim) in
            [(1, 2, 2, 4), (7, 2, 1, 4), (65, 4, 2, 6), (130, 2, 1, 4)]
        {
            let batch = 2;
            let shape = AttentionShape {
                batch,
                seq,
                n_heads,
                n_kv_heads,
                head_dim,
                rotary: Rotary::unscaled(100.0),
            };
            let width = n_heads * head_dim;
            let qkv_width = width + 2 * n_kv_heads * head_dim;
            let qkv = exact("qkv", [batch, seq, qkv_width], dtype);
            let grad = exact("grad", [batch, seq, width], dtype);
            let here = |data: &TensorData| floats::<B>(data, dtype, device);
            let there = |data: &TensorData| floats::<Flex>(data, theirs, &Default::default());
            let (out, log_sums) = (self.attention)(here(&qkv), shape);
            let (their_out, their_log_sums) = Flex::causal_attention(there(&qkv), shape);
            let what = |part: &str| format!("{part}, {dtype:?}, {shape:?}");
            assert_close::<B, Flex>(
                &what("attention"),
                out.clone(),
                their_out.clone(),
                tolerance,
            );
            assert_close::<B, Flex>(
                &what("log-sums"),
                log_sums.clone(),
                their_log_sums.clone(),
                tolerance,
            );
            let found = (self.attention_backward)(here(&qkv), [out, log_sums, here(&grad)], shape);
            let expected = Flex::causal_attention_backward(
                there(&qkv),
                their_out,
                their_log_sums,
                there(&grad),
                shape,
            );
            assert_close::<B, Flex>(&what("gradient"), found, expected, tolerance);
        }
    }

    fn gates_agree(&self, device: &Device<B>, dtype: DType, tolerance: f32) {
        let (rows, width) = (21, 24);
        let here = |data: &TensorData| floats::<B>(data, dtype, device);
        let there = |data: &TensorData| floats::<Flex>(data, dtype, &Default::default());
        let x = numbers("gate and up", [rows, 2 * width]);
        let grad = numbers("grad of the product", [rows, width]);
        assert_close::<B, Flex>(
            "swiglu",
            (self.swiglu)(here(&x)),
            Flex::swiglu(there(&x)),
            tolerance,
        );
        assert_close::<B, Flex>(
            "gradient of swiglu",
            (self.swiglu_backward)(here(&x), here(&grad)),
            Flex::swiglu_backward(there(&x), there(&grad)),
            tolerance,
        );
    }

    fn rows_agree(&self, device: &Device<B>, dtype: DType, tolerance: f32) {
        // A width of several vectors, and an odd one of single elements; more rows than one run of a sum over them.
        for (batch, seq, width) in [(3, 7, 24), (2, 40, 33)] {
            self.rows_of_width_agree(device, dtype, tolerance, [batch, seq, width]);
        }
    }

    fn rows_of_width_agree(
        &self,
        device: &Device<B>,
        dtype: DType,
        tolerance: f32,
        [batch, seq, width]: [usize; 3],
    ) {
        let here = |data: &TensorData| floats::<B>(data, dtype, device);
        let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
        let x = exact("x", [batch, seq, width], dtype);
        let grad = exact("grad of x", [batch, seq, width], dtype);
        let gamma = exact("gamma", [width], dtype);
        assert_close::<B, Flex>(
            "norm",
            (self.rms_norm)(here(&x), here(&gamma), 1e-5),
            Flex::rms_norm(there(&x), there(&gamma), 1e-5),
            tolerance,
        );
        let found = (self.rms_norm_backward)(here(&x), here(&gamma), here(&grad), 1e-5);
        let expected = Flex::rms_norm_backward(there(&x), there(&gamma), there(&grad), 1e-5);
        assert_close::<B, Flex>("gradient of a norm", found.0, expected.0, tolerance);
        assert_close::<B, Flex>("gradient of a gain", found.1, expected.1, tolerance);

        let x = exact("gate and up", [batch * seq, 2 * width], dtype);
        let grad = exact("grad of the product", [batch * seq, width], dtype);
        assert_close::<B, Flex>(
            "swiglu",
            (self.swiglu)(here(&x)),
            Flex::swiglu(there(&x)),
            tolerance,
        );
        assert_close::<B, Flex>(
            "gradient of swiglu",
            (self.swiglu_backward)(here(&x), here(&grad)),
            Flex::swiglu_backward(there(&x), there(&grad)),
            tolerance,
        );

        let logits = exact("logits", [batch * seq, width], dtype);
        let targets = ids("targets", [batch * seq], width);
        let grad = exact("grad of losses", [batch * seq], dtype);
        let (ours, theirs) = (
            integers::<B>(&targets, device),
            integers::<Flex>(&targets, &Default::default()),
        );
        let (our_losses, our_saved) = (self.cross_entropy)(here(&logits), ours.clone());
        let (their_losses, their_saved) = Flex::cross_entropy(there(&logits), theirs.clone());
        assert_close::<B, Flex>("cross-entropy", our_losses, their_losses, tolerance);
        assert_close::<B, Flex>(
            "gradient of cross-entropy",
            (self.cross_entropy_backward)(our_saved, ours, here(&grad)),
            Flex::cross_entropy_backward(their_saved, theirs, there(&grad)),
            tolerance,
        );
    }

    /// Many entries on few rows, few on many, and rows without any.
    fn rows_add_up(&self, device: &Device<B>, tolerance: f32) {
        for (entries, rows, width) in [(500, 7, 24), (20, 300, 5)] {
            let grad = numbers("grad of rows", [entries, width]);
            let chosen = ids("rows", [entries], rows);
            let found = (self.select_rows_backward)(
                floats::<B>(&grad, DType::F32, device),
                integers::<B>(&chosen, device),
                rows,
            );
            let mut sums = vec![0f32; rows * width];
            for (entry, row) in chosen.iter::<i64>().enumerate() {
                let values = grad.iter::<f32>().skip(entry * width).take(width);
                for (sum, value) in sums[row as usize * width..].iter_mut().zip(values) {
                    *sum += value;
                }
            }
            let sums = TensorData::new(sums, [rows, width]);
            let expected = floats::<Flex>(&sums, DType::F32, &Default::default());
            assert_close::<B, Flex>("added rows", found, expected, tolerance);
        }
    }

    /// With one head and with several that share keys, also of caches with space for further tokens.
    fn cached_attention_agrees(&self, device: &Device<B>, tolerance: f32) {
        for (batch, heads, kv_heads, tokens, head_dim) in [(1, 1, 1, 1, 2), (3, 4, 2, 37, 24)] {
            let query = numbers("query", [batch, heads, head_dim]);
            let of = |name: &str| numbers(name, [batch, kv_heads, tokens + 5, head_dim]);
            let (keys, values) = (of("keys"), of("values"));
            let slices = [0..batch, 0..kv_heads, 0..tokens, 0..head_dim].map(Slice::from);
            let here = |data: &TensorData| floats::<B>(data, DType::F32, device);
            let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
            let found = (self.attend_to_cache)(
                here(&query),
                B::float_slice(here(&keys), &slices),
                B::float_slice(here(&values), &slices),
            );
            let expected = Flex::attend_to_cache(
                there(&query),
                Flex::float_slice(there(&keys), &slices),
                Flex::float_slice(there(&values), &slices),
            );
            assert_close::<B, Flex>("cached attention", found, expected, tolerance);
        }
    }

    fn squares_agree(&self, device: &Device<B>, dtype: DType, tolerance: f32) {
        for shape in [[1, 1], [7, 5], [90, 131]] {
            let x = exact("x to square", shape, dtype);
            let found = (self.square_sum)(floats::<B>(&x, dtype, device));
            let there = floats::<Flex>(&x, DType::F32, &Default::default());
            let expected = Flex::square_sum(there);
            assert_close::<B, Flex>("sum of squares", found, expected, tolerance);
        }
    }

    fn steps_agree(&self, device: &Device<B>, tolerance: f32) {
        let shape = [7, 5];
        let here = |data: &TensorData| floats::<B>(data, DType::F32, device);
        let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
        let (values, zeros) = (numbers("values", shape), TensorData::zeros::<f32, _>(shape));
        let mut found = (here(&values), here(&zeros), here(&zeros));
        let mut expected = (there(&values), there(&zeros), there(&zeros));
        for step in 1..4 {
            let grad = numbers(&format!("grad {step}"), shape);
            let (values, mean, square) = found;
            found = (self.adamw)([values, here(&grad), mean, square], 0.01, adam(step, None));
            let (values, mean, square) = expected;
            expected = Flex::adamw(values, there(&grad), mean, square, 0.01, adam(step, None));
            for (found, expected) in [
                (&found.0, &expected.0),
                (&found.1, &expected.1),
                (&found.2, &expected.2),
            ] {
                let what = format!("AdamW, step {step}");
                assert_close::<B, Flex>(&what, found.clone(), expected.clone(), tolerance);
            }
        }
    }
}
