//! Mixture of experts.

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::tensor::TensorData;

use super::{floats, id_slice, ids, rounded, singles, tensor};
use crate::kernels::cpu::{experts, routing};
use crate::kernels::experts::ExpertOps;
use crate::kernels::routes::Routes;
use crate::kernels::routing::RoutingOps;

impl RoutingOps for Flex {
    fn choose_experts(scores: FloatTensor<Self>, top_k: usize) -> IntTensor<Self> {
        let (scores, n_experts) = (scores.to_contiguous(), scores.shape()[1]);
        integers(routing::choose_experts(floats(&scores), n_experts, top_k))
    }

    fn choose_tokens(scores: FloatTensor<Self>, capacity: usize) -> IntTensor<Self> {
        let (scores, n_experts) = (scores.to_contiguous(), scores.shape()[1]);
        integers(routing::choose_tokens(floats(&scores), n_experts, capacity))
    }

    fn sort_by_expert(pairs: IntTensor<Self>, tokens: usize, n_experts: usize) -> Routes<Self> {
        let sorted = routing::sort_by_expert(id_slice(&ids(pairs)), tokens, n_experts);
        Routes {
            source_tokens: integers(sorted.source_tokens),
            assignments: integers(sorted.assignments),
            rows: integers(sorted.rows),
            token_offsets: integers(sorted.token_offsets),
            expert_offsets: integers(sorted.expert_offsets),
        }
    }
}

fn integers(values: Vec<i64>) -> FlexTensor {
    let len = values.len();
    FlexTensor::from_data(TensorData::new(values, [len]))
}

impl ExpertOps for Flex {
    fn dispatch_tokens(x: FloatTensor<Self>, routes: Routes<Self>) -> FloatTensor<Self> {
        let (x, width) = (x.to_contiguous(), x.shape()[1]);
        let rows = routes.count();
        let source_tokens = ids(routes.source_tokens);
        let mut out = vec![0.0; rows * width];
        experts::dispatch_tokens(floats(&x), width, id_slice(&source_tokens), &mut out);
        tensor(out, [rows, width])
    }

    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Routes<Self>,
    ) -> FloatTensor<Self> {
        let (y, width) = (y.to_contiguous(), y.shape()[1]);
        let (weights, tokens) = (weights.to_contiguous(), routes.tokens());
        let (rows, offsets) = (ids(routes.rows), ids(routes.token_offsets));
        let mut out = vec![0.0; tokens * width];
        let summed = (floats(&y), floats(&weights));
        experts::combine_outputs(summed, width, id_slice(&rows), id_slice(&offsets), &mut out);
        tensor(out, [tokens, width])
    }

    fn combine_outputs_backward(
        grad: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Routes<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [rows, width] = [y.shape()[0], y.shape()[1]];
        let (grad, y) = (grad.to_contiguous(), y.to_contiguous());
        let weights = weights.to_contiguous();
        let (mut dy, mut dweights) = (vec![0.0; rows * width], vec![0.0; rows]);
        let saved = (floats(&grad), floats(&y), floats(&weights));
        let [tokens, assignments, of_assignments] =
            [routes.source_tokens, routes.assignments, routes.rows].map(ids);
        let places = (
            id_slice(&tokens),
            id_slice(&assignments),
            id_slice(&of_assignments),
        );
        experts::combine_outputs_backward(saved, width, places, &mut dy, &mut dweights);
        (tensor(dy, [rows, width]), tensor(dweights, [rows]))
    }

    fn grouped_matmul(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        expert_offsets: IntTensor<Self>,
    ) -> FloatTensor<Self> {
        let [rows, inputs, outputs] = [x.shape()[0], x.shape()[1], weights.shape()[2]];
        let (dtype, x, weights) = (x.dtype(), singles(&x), singles(&weights));
        let offsets = ids(expert_offsets);
        let mut out = vec![0.0; rows * outputs];
        let (shape, offsets) = ((inputs, outputs), id_slice(&offsets));
        experts::grouped_matmul(floats(&x), floats(&weights), shape, offsets, &mut out);
        rounded(out, [rows, outputs], dtype)
    }

    fn grouped_matmul_backward(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        expert_offsets: IntTensor<Self>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [rows, inputs, outputs] = [x.shape()[0], x.shape()[1], weights.shape()[2]];
        let n_experts = weights.shape()[0];
        let dtype = x.dtype();
        let (grad, x, weights) = (singles(&grad), singles(&x), singles(&weights));
        let offsets = ids(expert_offsets);
        let mut dx = vec![0.0; rows * inputs];
        let mut dweights = vec![0.0; n_experts * inputs * outputs];
        let saved = (floats(&grad), floats(&x), floats(&weights));
        let (shape, offsets) = ((inputs, outputs), id_slice(&offsets));
        experts::grouped_matmul_backward(saved, shape, offsets, &mut dx, &mut dweights);
        (
            rounded(dx, [rows, inputs], dtype),
            rounded(dweights, [n_experts, inputs, outputs], dtype),
        )
    }
}
