//! Selection of experts and tokens, and the order of assignments: equal to those of the CPU kernels, also where scores are equal.

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, Flex};
use burn::tensor::{DType, TensorData};

use super::{floats, integers, listed, numbers};
use crate::kernels::composed::routing;
use crate::kernels::routes::Routes;
use crate::kernels::routing::RoutingOps;

/// One implementation of [`RoutingOps`].
pub struct Routing<B: Backend> {
    choose_experts: fn(FloatTensor<B>, usize) -> IntTensor<B>,
    choose_tokens: fn(FloatTensor<B>, usize) -> IntTensor<B>,
    sort_by_expert: fn(IntTensor<B>, usize, usize) -> Routes<B>,
}

#[cfg(any(feature = "tch", feature = "cube"))]
impl<B: RoutingOps> Routing<B> {
    /// The backend's implementation.
    pub fn own() -> Self {
        Self {
            choose_experts: B::choose_experts,
            choose_tokens: B::choose_tokens,
            sort_by_expert: B::sort_by_expert,
        }
    }
}

/// Scores of both signs, of which many are equal.
fn scores(tokens: usize, experts: usize) -> TensorData {
    let scores = numbers("scores of experts", [tokens, experts]);
    // Adding zero removes its sign.
    let rounded = scores.iter::<f32>().map(|x| (x * 8.0).round() / 8.0 + 0.0);
    TensorData::new(rounded.collect::<Vec<_>>(), [tokens, experts])
}

impl<B: Backend> Routing<B> {
    /// The composed bodies on the backend.
    pub fn composed() -> Self {
        Self {
            choose_experts: routing::choose_experts::<B>,
            choose_tokens: routing::choose_tokens::<B>,
            sort_by_expert: routing::sort_by_expert::<B>,
        }
    }

    /// Panics where this differs from the CPU kernels.
    pub fn agree(&self, device: &Device<B>) {
        for (tokens, experts, top_k, capacity) in
            [(1, 1, 1, 1), (9, 5, 2, 3), (9, 5, 5, 9), (300, 70, 7, 13)]
        {
            let scores = scores(tokens, experts);
            let here = || floats::<B>(&scores, DType::F32, device);
            let there = || floats::<Flex>(&scores, DType::F32, &Default::default());
            let by_tokens = listed::<Flex>(Flex::choose_experts(there(), top_k));
            let found = listed::<B>((self.choose_experts)(here(), top_k));
            assert_eq!(found, by_tokens, "{top_k} of {experts} experts");
            let by_experts = listed::<Flex>(Flex::choose_tokens(there(), capacity));
            let found = listed::<B>((self.choose_tokens)(here(), capacity));
            assert_eq!(found, by_experts, "{capacity} of {tokens} tokens");
            self.order_agrees(by_tokens, tokens, experts, device);
            self.order_agrees(by_experts, tokens, experts, device);
        }
    }

    fn order_agrees(&self, pairs: Vec<i64>, tokens: usize, experts: usize, device: &Device<B>) {
        let len = pairs.len();
        let pairs = TensorData::new(pairs, [len]);
        let here = integers::<B>(&pairs, device);
        let there = integers::<Flex>(&pairs, &Default::default());
        let found = all(listed::<B>, (self.sort_by_expert)(here, tokens, experts));
        let expected = all(listed::<Flex>, Flex::sort_by_expert(there, tokens, experts));
        assert_eq!(found, expected, "{len} assignments to {experts} experts");
    }
}

/// The tensors of routes, by name.
fn all<B: Backend>(
    listed: fn(IntTensor<B>) -> Vec<i64>,
    routes: Routes<B>,
) -> [(&'static str, Vec<i64>); 5] {
    [
        ("source_tokens", listed(routes.source_tokens)),
        ("assignments", listed(routes.assignments)),
        ("rows", listed(routes.rows)),
        ("token_offsets", listed(routes.token_offsets)),
        ("expert_offsets", listed(routes.expert_offsets)),
    ]
}
