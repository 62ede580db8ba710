//! Experts' products and the ways between tokens and their places.

use std::sync::Arc;

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;

use super::{floats, tensor};
use crate::kernels::expert_product;
use crate::kernels::experts::ExpertOps;
use crate::kernels::routes::Routes;

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
