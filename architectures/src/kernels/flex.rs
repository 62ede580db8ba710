//! The lookups and the fused operations on Burn's CPU backend: zero-copy slices in, one allocation out.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::{DType, TensorData};

use super::adam::{self, AdamStep};
use super::attention::{self, AttentionShape};
use super::experts::{ExpertOps, Routes};
use super::fused::FusedOps;
use super::ops::LookupOps;
use super::product_key_search::{self, SearchShape};
use super::row_adam::RowGradient;
use super::search::SearchOps;
use super::{bag, cross_entropy, expert_product, product_key_top_k as selection, rms_norm, swiglu};

/// A contiguous f32 tensor; models run in f32 on the CPU.
fn floats(tensor: &FlexTensor) -> &[f32] {
    match tensor.as_slice() {
        Some(values) => values,
        None => panic!("lookups on the CPU take f32, not {:?}", tensor.dtype()),
    }
}

/// Ids as 64-bit integers, copied only where the backend keeps them narrower.
fn ids(tensor: IntTensor<Flex>) -> FlexTensor {
    let tensor = tensor.to_contiguous();
    match tensor.dtype() {
        DType::I64 => tensor,
        DType::I32 => {
            let narrow = tensor.as_slice::<i32>().unwrap_or_default();
            let wide: Vec<i64> = narrow.iter().map(|&id| i64::from(id)).collect();
            FlexTensor::from_data(TensorData::new(wide, tensor.shape()))
        }
        other => panic!("ids are 32 or 64 bits wide, not {other:?}"),
    }
}

fn id_slice(tensor: &FlexTensor) -> &[i64] {
    tensor.as_slice().unwrap_or_default()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}

impl LookupOps for Flex {
    fn bag(
        table: FloatTensor<Self>,
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (tokens, per_token, width) = (indices.shape()[0], indices.shape()[1], table.shape()[1]);
        let (table, indices, weights) =
            (table.to_contiguous(), ids(indices), weights.to_contiguous());
        let mut out = vec![0.0; tokens * width];
        bag::bag(
            floats(&table),
            width,
            id_slice(&indices),
            floats(&weights),
            per_token,
            &mut out,
        );
        tensor(out, [tokens, width])
    }

    fn dot(
        table: FloatTensor<Self>,
        indices: IntTensor<Self>,
        inputs: FloatTensor<Self>,
        _sink: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (tokens, per_token, width) = (indices.shape()[0], indices.shape()[1], table.shape()[1]);
        let (table, indices, inputs) =
            (table.to_contiguous(), ids(indices), inputs.to_contiguous());
        let mut out = vec![0.0; tokens * per_token];
        bag::dot(
            floats(&table),
            width,
            id_slice(&indices),
            floats(&inputs),
            per_token,
            &mut out,
        );
        tensor(out, [tokens, per_token])
    }

    fn product_key_top_k(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        let (heads, rows, n) = (scores.shape()[0], scores.shape()[2], scores.shape()[3]);
        let scores = scores.to_contiguous();
        let mut out = vec![0i64; heads * rows * top_k];
        selection::product_key_top_k(floats(&scores), rows, n, top_k, &mut out);
        FlexTensor::from_data(TensorData::new(out, [heads, rows, top_k]))
    }

    fn pair_scores(scores: FloatTensor<Self>, indices: IntTensor<Self>) -> FloatTensor<Self> {
        let (heads, rows, k) = (indices.shape()[0], indices.shape()[1], indices.shape()[2]);
        let n = scores.shape()[3];
        let (scores, indices) = (scores.to_contiguous(), ids(indices));
        let mut out = vec![0.0; heads * rows * k];
        selection::pair_scores(floats(&scores), id_slice(&indices), rows, n, k, &mut out);
        tensor(out, [heads, rows, k])
    }

    fn pair_scores_backward(
        grad: FloatTensor<Self>,
        indices: IntTensor<Self>,
        n: usize,
    ) -> FloatTensor<Self> {
        let (heads, rows, k) = (indices.shape()[0], indices.shape()[1], indices.shape()[2]);
        let (grad, indices) = (grad.to_contiguous(), ids(indices));
        let mut out = vec![0.0; heads * 2 * rows * n];
        selection::pair_scores_backward(floats(&grad), id_slice(&indices), rows, n, k, &mut out);
        tensor(out, [heads, 2, rows, n])
    }

    fn row_adam(
        mut table: FloatTensor<Self>,
        mut mean: FloatTensor<Self>,
        mut square: FloatTensor<Self>,
        indices: IntTensor<Self>,
        weights: FloatTensor<Self>,
        values: FloatTensor<Self>,
        step: AdamStep,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        let (per_token, rows, width) = (indices.shape()[1], table.shape()[0], table.shape()[1]);
        let (indices, weights, values) = (
            ids(indices),
            weights.to_contiguous(),
            values.to_contiguous(),
        );
        // Updates write where a tensor's storage lies: a strided view must first become its own.
        (table, mean, square) = (
            table.to_contiguous(),
            mean.to_contiguous(),
            square.to_contiguous(),
        );
        let gradient = RowGradient::new(
            rows,
            id_slice(&indices),
            floats(&weights),
            floats(&values),
            per_token,
            width,
        );
        // Without a bound the norm is only reported, and the update's own pass knows it.
        let bounded = step.max_norm.map(|max_norm| (max_norm, gradient.norm()));
        let scale = match bounded {
            Some((max_norm, norm)) if norm > max_norm => max_norm / norm,
            _ => 1.0,
        };
        let norm = gradient.update(
            table.storage_mut(),
            mean.storage_mut(),
            square.storage_mut(),
            scale,
            step,
        );
        (table, mean, square, tensor(vec![norm], [1]))
    }
}

impl SearchOps for Flex {
    fn product_key_search(
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
        top_k: usize,
    ) -> (FloatTensor<Self>, IntTensor<Self>) {
        let (tokens, shape) = search_shape(&queries, &keys, top_k);
        let (queries, keys) = (queries.to_contiguous(), keys.to_contiguous());
        let dims = [tokens, shape.heads, top_k];
        let mut found = vec![0i64; dims.iter().product()];
        let mut scores = vec![0.0; dims.iter().product()];
        product_key_search::search(
            floats(&queries),
            floats(&keys),
            shape,
            &mut found,
            &mut scores,
        );
        let found = FlexTensor::from_data(TensorData::new(found, dims));
        (tensor(scores, dims), found)
    }

    fn product_key_search_backward(
        grad: FloatTensor<Self>,
        indices: IntTensor<Self>,
        queries: FloatTensor<Self>,
        keys: FloatTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let (tokens, shape) = search_shape(&queries, &keys, indices.shape()[2]);
        let (grad, indices) = (grad.to_contiguous(), ids(indices));
        let (queries, keys) = (queries.to_contiguous(), keys.to_contiguous());
        let mut dqueries = vec![0.0; floats(&queries).len()];
        let mut dkeys = vec![0.0; floats(&keys).len()];
        product_key_search::search_backward(
            floats(&grad),
            id_slice(&indices),
            (floats(&queries), floats(&keys)),
            shape,
            &mut dqueries,
            &mut dkeys,
        );
        let sets = 2 * shape.heads;
        (
            tensor(dqueries, [tokens, sets, shape.half]),
            tensor(dkeys, [sets, shape.n_keys, shape.half]),
        )
    }
}

fn search_shape(queries: &FlexTensor, keys: &FlexTensor, top_k: usize) -> (usize, SearchShape) {
    let (queries, keys) = (queries.shape(), keys.shape());
    let shape = SearchShape {
        heads: queries[1] / 2,
        n_keys: keys[1],
        half: keys[2],
        top_k,
    };
    (queries[0], shape)
}

impl ExpertOps for Flex {
    fn to_places(x: FloatTensor<Self>, routes: Arc<Routes>) -> FloatTensor<Self> {
        let (x, width) = (x.to_contiguous(), x.shape()[1]);
        let places = routes.token_of.len();
        let mut out = vec![0.0; places * width];
        expert_product::to_places(floats(&x), width, &routes, &mut out);
        tensor(out, [places, width])
    }

    fn to_tokens(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        let (y, width) = (y.to_contiguous(), y.shape()[1]);
        let weights = weights.to_contiguous();
        let mut out = vec![0.0; routes.tokens() * width];
        expert_product::to_tokens(floats(&y), width, floats(&weights), &routes, &mut out);
        tensor(out, [routes.tokens(), width])
    }

    fn to_tokens_backward(
        grad: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [places, width] = [y.shape()[0], y.shape()[1]];
        let (grad, y) = (grad.to_contiguous(), y.to_contiguous());
        let weights = weights.to_contiguous();
        let (mut dy, mut dweights) = (vec![0.0; places * width], vec![0.0; places]);
        let saved = (floats(&grad), floats(&y), floats(&weights));
        expert_product::to_tokens_backward(saved, width, &routes, &mut dy, &mut dweights);
        (tensor(dy, [places, width]), tensor(dweights, [places]))
    }

    fn expert_product(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        let [places, inputs, outputs] = [x.shape()[0], x.shape()[1], weights.shape()[2]];
        let (x, weights) = (x.to_contiguous(), weights.to_contiguous());
        let mut out = vec![0.0; places * outputs];
        let shape = (inputs, outputs);
        expert_product::forward(floats(&x), floats(&weights), shape, &routes, &mut out);
        tensor(out, [places, outputs])
    }

    fn expert_product_backward(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [places, inputs, outputs] = [x.shape()[0], x.shape()[1], weights.shape()[2]];
        let experts = weights.shape()[0];
        let (grad, x) = (grad.to_contiguous(), x.to_contiguous());
        let weights = weights.to_contiguous();
        let mut dx = vec![0.0; places * inputs];
        let mut dweights = vec![0.0; experts * inputs * outputs];
        let saved = (floats(&grad), floats(&x), floats(&weights));
        let shape = (inputs, outputs);
        expert_product::backward(saved, shape, &routes, &mut dx, &mut dweights);
        (
            tensor(dx, [places, inputs]),
            tensor(dweights, [experts, inputs, outputs]),
        )
    }
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
        let qkv = qkv.to_contiguous();
        let mut out = vec![0.0; batch * seq * n_heads * head_dim];
        let mut log_sums = vec![0.0; batch * n_heads * seq];
        attention::attention(floats(&qkv), &shape, &mut out, &mut log_sums);
        (
            tensor(out, [batch, seq, n_heads * head_dim]),
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
        let (qkv, grad) = (qkv.to_contiguous(), grad.to_contiguous());
        let mut dqkv = vec![0.0; dims.iter().product()];
        let saved = (floats(&out), floats(&log_sums), floats(&grad));
        attention::attention_backward(floats(&qkv), saved, &shape, &mut dqkv);
        tensor(dqkv, dims)
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

    fn swiglu(x: FloatTensor<Self>) -> FloatTensor<Self> {
        let (rows, f) = (x.shape()[0], x.shape()[1] / 2);
        let x = x.to_contiguous();
        let mut out = vec![0.0; rows * f];
        swiglu::swiglu(floats(&x), f, &mut out);
        tensor(out, [rows, f])
    }

    fn swiglu_backward(x: FloatTensor<Self>, grad: FloatTensor<Self>) -> FloatTensor<Self> {
        let (rows, f) = (x.shape()[0], x.shape()[1] / 2);
        let (x, grad) = (x.to_contiguous(), grad.to_contiguous());
        let mut out = vec![0.0; rows * 2 * f];
        swiglu::swiglu_backward(floats(&x), floats(&grad), f, &mut out);
        tensor(out, [rows, 2 * f])
    }

    fn cross_entropy(logits: FloatTensor<Self>, targets: IntTensor<Self>) -> FloatTensor<Self> {
        let (rows, vocab) = (logits.shape()[0], logits.shape()[1]);
        let (logits, targets) = (logits.to_contiguous(), ids(targets));
        let mut out = vec![0.0; rows];
        cross_entropy::cross_entropy(floats(&logits), id_slice(&targets), vocab, &mut out);
        tensor(out, [rows])
    }

    fn cross_entropy_backward(
        logits: FloatTensor<Self>,
        targets: IntTensor<Self>,
        grad: FloatTensor<Self>,
    ) -> FloatTensor<Self> {
        let (rows, vocab) = (logits.shape()[0], logits.shape()[1]);
        let (logits, targets, grad) = (logits.to_contiguous(), ids(targets), grad.to_contiguous());
        let mut out = vec![0.0; rows * vocab];
        cross_entropy::cross_entropy_backward(
            floats(&logits),
            id_slice(&targets),
            floats(&grad),
            vocab,
            &mut out,
        );
        tensor(out, [rows, vocab])
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
