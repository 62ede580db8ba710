//! A mixture's movements and products: gathers, and one product for each expert.

use std::iter::repeat_n;

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata};

use super::Value;
use super::lookup::integers;
use crate::kernels::routes::Routes;

/// [`crate::kernels::experts::ExpertOps::to_places`].
pub fn to_places<B: Backend>(x: FloatTensor<B>, routes: &Routes) -> FloatTensor<B> {
    let tokens = integers::<B>(routes.token_of.clone(), &x.device());
    Value::<B>(x).select(0, tokens).0
}

/// [`crate::kernels::experts::ExpertOps::to_tokens`] by `bag`, which sums the rows `(y, ids, weights)`: a token with
/// fewer places than another is given place 0 as well, without weight.
pub fn to_tokens<B: Backend>(
    y: FloatTensor<B>,
    weights: FloatTensor<B>,
    routes: &Routes,
    bag: impl Fn(FloatTensor<B>, IntTensor<B>, FloatTensor<B>) -> FloatTensor<B>,
) -> FloatTensor<B> {
    let (device, tokens) = (y.device(), routes.tokens());
    let counts = routes.starts.windows(2).map(|ends| ends[1] - ends[0]);
    let most = counts.max().unwrap_or(0);
    if most == 0 {
        let width = y.shape()[1];
        return Value::<B>::zeros([tokens, width], &device, y.dtype()).0;
    }
    let mut places = Vec::with_capacity(tokens * most);
    let mut meetings = Vec::with_capacity(tokens * most);
    // The weight after the last meeting's is zero.
    let without_weight = routes.places.len() as i64;
    for ends in routes.starts.windows(2) {
        let padding = most - (ends[1] - ends[0]);
        places.extend(&routes.places[ends[0]..ends[1]]);
        places.extend(repeat_n(0, padding));
        meetings.extend(ends[0] as i64..ends[1] as i64);
        meetings.extend(repeat_n(without_weight, padding));
    }
    let weights = Value::<B>(weights);
    let zero = Value::zeros([1], &device, weights.0.dtype());
    let weights = Value::cat(vec![weights, zero], 0)
        .select(0, integers::<B>(meetings, &device))
        .reshape([tokens, most]);
    let places = B::int_reshape(integers::<B>(places, &device), [tokens, most].into());
    bag(y, places, weights.0)
}

/// [`crate::kernels::experts::ExpertOps::to_tokens_backward`].
pub fn to_tokens_backward<B: Backend>(
    grad: FloatTensor<B>,
    y: FloatTensor<B>,
    weights: FloatTensor<B>,
    routes: &Routes,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let device: Device<B> = grad.device();
    let meetings = routes.places.len();
    let mut meeting_at = vec![0; meetings];
    for (meeting, &place) in routes.places.iter().enumerate() {
        meeting_at[place as usize] = meeting as i64;
    }
    let at_places = Value::<B>(to_places::<B>(grad, routes));
    let weights = Value::<B>(weights).select(0, integers::<B>(meeting_at, &device));
    let products = at_places.clone() * Value::<B>(y);
    let dweights = products
        .sum(1)
        .reshape([meetings])
        .select(0, integers::<B>(routes.places.clone(), &device));
    let dy = at_places * weights.reshape([meetings, 1]);
    (dy.0, dweights.0)
}

/// The matrix of one expert, `[inputs, outputs]`.
fn matrix<B: Backend>(weights: &Value<B>, expert: usize) -> Value<B> {
    let [_, inputs, outputs] = weights.dims();
    weights
        .narrow(0, expert..expert + 1)
        .reshape([inputs, outputs])
}

/// [`crate::kernels::experts::ExpertOps::expert_product`].
pub fn expert_product<B: Backend>(
    x: FloatTensor<B>,
    weights: FloatTensor<B>,
    routes: &Routes,
) -> FloatTensor<B> {
    let (x, weights) = (Value::<B>(x), Value::<B>(weights));
    let parts = routes
        .experts()
        .filter(|(_, places)| !places.is_empty())
        .map(|(expert, places)| x.narrow(0, places).matmul(matrix(&weights, expert)))
        .collect();
    Value::cat(parts, 0).0
}

/// [`crate::kernels::experts::ExpertOps::expert_product_backward`].
pub fn expert_product_backward<B: Backend>(
    grad: FloatTensor<B>,
    x: FloatTensor<B>,
    weights: FloatTensor<B>,
    routes: &Routes,
) -> (FloatTensor<B>, FloatTensor<B>) {
    let (grad, x, weights) = (Value::<B>(grad), Value::<B>(x), Value::<B>(weights));
    let [_, inputs, outputs] = weights.dims();
    let (mut dx, mut dweights) = (Vec::new(), Vec::new());
    for (expert, places) in routes.experts() {
        let dmatrix = if places.is_empty() {
            Value::zeros([inputs, outputs], &grad.device(), grad.0.dtype())
        } else {
            let grad = grad.narrow(0, places.clone());
            dx.push(grad.clone().matmul(matrix(&weights, expert).swap(0, 1)));
            x.narrow(0, places).swap(0, 1).matmul(grad)
        };
        dweights.push(dmatrix.reshape([1, inputs, outputs]));
    }
    (Value::cat(dx, 0).0, Value::cat(dweights, 0).0)
}
