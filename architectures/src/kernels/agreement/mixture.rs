//! A mixture's movements and products, and the product-key search.

use std::sync::Arc;

use burn::backend::tensor::{Device, FloatTensor};
use burn::backend::{Backend, Flex};
use burn::tensor::{DType, TensorData};

#[cfg(any(feature = "tch", feature = "cube"))]
use super::listed;
use super::{assert_close, floats, numbers};
use crate::kernels::experts::ExpertOps;
use crate::kernels::routes::Routes;
#[cfg(any(feature = "tch", feature = "cube"))]
use crate::kernels::search::SearchOps;
use crate::kernels::stock::{experts, lookup};

type Float<B> = FloatTensor<B>;
type Pair<B> = (Float<B>, Float<B>);

/// One implementation of [`ExpertOps`].
#[expect(
    clippy::type_complexity,
    reason = "the fields are the operations' signatures"
)]
pub struct Mixture<B: Backend> {
    to_places: fn(Float<B>, Arc<Routes>) -> Float<B>,
    to_tokens: fn(Float<B>, Float<B>, Arc<Routes>) -> Float<B>,
    to_tokens_backward: fn(Float<B>, Float<B>, Float<B>, Arc<Routes>) -> Pair<B>,
    expert_product: fn(Float<B>, Float<B>, Arc<Routes>) -> Float<B>,
    expert_product_backward: fn(Float<B>, Float<B>, Float<B>, Arc<Routes>) -> Pair<B>,
}

#[cfg(any(feature = "tch", feature = "cube"))]
impl<B: ExpertOps> Mixture<B> {
    /// The backend's own.
    pub fn own() -> Self {
        Self {
            to_places: B::to_places,
            to_tokens: B::to_tokens,
            to_tokens_backward: B::to_tokens_backward,
            expert_product: B::expert_product,
            expert_product_backward: B::expert_product_backward,
        }
    }
}

/// Expert 1 has no place and token 2 none either; others have one to three.
fn routes() -> Arc<Routes> {
    // (token, expert) of each meeting, token by token.
    let meetings = [(0, 2), (0, 0), (1, 3), (3, 0), (3, 2), (3, 3), (4, 0)];
    let loads = vec![3, 0, 2, 2];
    let mut next = [0, 3, 3, 5];
    let (mut token_of, mut places) = (vec![0; meetings.len()], Vec::new());
    for (token, expert) in meetings {
        token_of[next[expert]] = token;
        places.push(next[expert] as i64);
        next[expert] += 1;
    }
    Arc::new(Routes {
        loads,
        token_of,
        places,
        starts: vec![0, 2, 3, 3, 6, 7],
    })
}

impl<B: Backend> Mixture<B> {
    /// Stock operations on the backend.
    pub fn stock() -> Self {
        Self {
            to_places: |x, routes| experts::to_places::<B>(x, &routes),
            to_tokens: |y, weights, routes| {
                experts::to_tokens::<B>(y, weights, &routes, |y, ids, weights| {
                    lookup::bag::<B>(y, ids, weights, 1 << 8)
                })
            },
            to_tokens_backward: |grad, y, weights, routes| {
                experts::to_tokens_backward::<B>(grad, y, weights, &routes)
            },
            expert_product: |x, weights, routes| experts::expert_product::<B>(x, weights, &routes),
            expert_product_backward: |grad, x, weights, routes| {
                experts::expert_product_backward::<B>(grad, x, weights, &routes)
            },
        }
    }

    /// Panics where this differs from the CPU kernels by more than `tolerance` of the largest element.
    pub fn agree(&self, device: &Device<B>, tolerance: f32) {
        let routes = routes();
        let (tokens, places, experts) = (routes.tokens(), routes.places.len(), routes.loads.len());
        let (inputs, outputs) = (12, 20);
        let here = |data: &TensorData| floats::<B>(data, DType::F32, device);
        let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
        let same = |what: &str, found, expected| {
            assert_close::<B, Flex>(what, found, expected, tolerance);
        };

        let x = numbers("x of tokens", [tokens, inputs]);
        same(
            "to places",
            (self.to_places)(here(&x), routes.clone()),
            Flex::to_places(there(&x), routes.clone()),
        );

        let y = numbers("y at places", [places, inputs]);
        let weights = numbers("weights of meetings", [places]);
        same(
            "to tokens",
            (self.to_tokens)(here(&y), here(&weights), routes.clone()),
            Flex::to_tokens(there(&y), there(&weights), routes.clone()),
        );
        let found = (self.to_tokens_backward)(here(&x), here(&y), here(&weights), routes.clone());
        let expected =
            Flex::to_tokens_backward(there(&x), there(&y), there(&weights), routes.clone());
        same("gradient at places", found.0, expected.0);
        same("gradient of weights", found.1, expected.1);

        let matrices = numbers("matrices", [experts, inputs, outputs]);
        let grad = numbers("grad at places", [places, outputs]);
        same(
            "expert product",
            (self.expert_product)(here(&y), here(&matrices), routes.clone()),
            Flex::expert_product(there(&y), there(&matrices), routes.clone()),
        );
        let found =
            (self.expert_product_backward)(here(&grad), here(&y), here(&matrices), routes.clone());
        let expected =
            Flex::expert_product_backward(there(&grad), there(&y), there(&matrices), routes);
        same("gradient of what experts got", found.0, expected.0);
        same("gradient of matrices", found.1, expected.1);
    }
}

/// Panics where a backend's product-key search differs from the CPU kernels'.
#[cfg(any(feature = "tch", feature = "cube"))]
pub fn searches_agree<B: SearchOps>(device: &Device<B>, tolerance: f32) {
    let (tokens, heads, n_keys, half, top_k) = (9, 2, 24, 8, 5);
    let queries = numbers("queries", [tokens, heads * 2, half]);
    let keys = numbers("keys", [heads * 2, n_keys, half]);
    let grad = numbers("grad of scores", [tokens, heads, top_k]);
    let here = |data: &TensorData| floats::<B>(data, DType::F32, device);
    let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
    let (found, ids) = B::product_key_search(here(&queries), here(&keys), top_k);
    let (expected, their_ids) = Flex::product_key_search(there(&queries), there(&keys), top_k);
    assert_close::<B, Flex>("scores found", found, expected, tolerance);
    assert_eq!(listed::<B>(ids.clone()), listed::<Flex>(their_ids.clone()));
    let found = B::product_key_search_backward(here(&grad), ids, here(&queries), here(&keys));
    let expected =
        Flex::product_key_search_backward(there(&grad), their_ids, there(&queries), there(&keys));
    assert_close::<B, Flex>("gradient of queries", found.0, expected.0, tolerance);
    assert_close::<B, Flex>("gradient of keys", found.1, expected.1, tolerance);
}
