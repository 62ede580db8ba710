//! Mixture of experts.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::{floats, rounded, singles, tensor};
use crate::kernels::cpu::experts;
use crate::kernels::experts::ExpertOps;
use crate::kernels::routes::Routes;

impl ExpertOps for Flex {
    fn dispatch_tokens(x: FloatTensor<Self>, routes: Arc<Routes>) -> FloatTensor<Self> {
        let (x, width) = (x.to_contiguous(), x.shape()[1]);
        let rows = routes.source_tokens.len();
        let mut out = vec![0.0; rows * width];
        experts::dispatch_tokens(floats(&x), width, &routes, &mut out);
        tensor(out, [rows, width])
    }

    fn combine_outputs(
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        let (y, width) = (y.to_contiguous(), y.shape()[1]);
        let weights = weights.to_contiguous();
        let mut out = vec![0.0; routes.tokens() * width];
        experts::combine_outputs(floats(&y), width, floats(&weights), &routes, &mut out);
        tensor(out, [routes.tokens(), width])
    }

    fn combine_outputs_backward(
        grad: FloatTensor<Self>,
        y: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [rows, width] = [y.shape()[0], y.shape()[1]];
        let (grad, y) = (grad.to_contiguous(), y.to_contiguous());
        let weights = weights.to_contiguous();
        let (mut dy, mut dweights) = (vec![0.0; rows * width], vec![0.0; rows]);
        let saved = (floats(&grad), floats(&y), floats(&weights));
        experts::combine_outputs_backward(saved, width, &routes, &mut dy, &mut dweights);
        (tensor(dy, [rows, width]), tensor(dweights, [rows]))
    }

    fn grouped_matmul(
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> FloatTensor<Self> {
        let [rows, inputs, outputs] = [x.shape()[0], x.shape()[1], weights.shape()[2]];
        let (dtype, x, weights) = (x.dtype(), singles(&x), singles(&weights));
        let mut out = vec![0.0; rows * outputs];
        let shape = (inputs, outputs);
        experts::grouped_matmul(floats(&x), floats(&weights), shape, &routes, &mut out);
        rounded(out, [rows, outputs], dtype)
    }

    fn grouped_matmul_backward(
        grad: FloatTensor<Self>,
        x: FloatTensor<Self>,
        weights: FloatTensor<Self>,
        routes: Arc<Routes>,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let [rows, inputs, outputs] = [x.shape()[0], x.shape()[1], weights.shape()[2]];
        let n_experts = weights.shape()[0];
        let dtype = x.dtype();
        let (grad, x, weights) = (singles(&grad), singles(&x), singles(&weights));
        let mut dx = vec![0.0; rows * inputs];
        let mut dweights = vec![0.0; n_experts * inputs * outputs];
        let saved = (floats(&grad), floats(&x), floats(&weights));
        let shape = (inputs, outputs);
        experts::grouped_matmul_backward(saved, shape, &routes, &mut dx, &mut dweights);
        (
            rounded(dx, [rows, inputs], dtype),
            rounded(dweights, [n_experts, inputs, outputs], dtype),
        )
    }
}
