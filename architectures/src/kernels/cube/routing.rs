//! Routing of a mixture of experts: selection by search of each token's scores, or by a stable sort of all; assignments sorted by
//! expert. No operation is atomic, so that the same scores give the same routes.

mod by_expert;

use burn::backend::ops::IntTensorOps;
use burn::backend::{TensorMetadata, get_or_init_device_settings};
use burn::tensor::{DType, IntDType};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, cubes, elements, empty, independent, together};
use super::product_key_top_k::{best_of_all, best_of_row};
use super::sort::by_row;
use by_expert::experts_of;

pub use by_expert::sort_by_expert;

/// Units that search the scores of one token.
const SEARCHERS: u32 = 32;

/// One cube for each token. Every unit keeps the best of its share; the best of all is taken `top_k` times, and only the unit of
/// the one taken searches its share again.
#[cube(launch_unchecked, address_type = "dynamic")]
fn choose_experts_kernel<T: Float, I: Int>(
    scores: &Tensor<T>,
    out: &mut Tensor<I>,
    n_experts: usize,
    top_k: usize,
    tokens: usize,
    #[comptime] units: usize,
    #[define(T, I)] _elements: [ElemType; 2],
) {
    let token = CUBE_POS;
    if token >= tokens {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut offered = Shared::<[f32]>::new_slice(units);
    let mut offered_indices = Shared::<[u32]>::new_slice(units);
    let start = token * n_experts;
    let (mut score, mut index) = best_of_row::<T>(scores, start, n_experts, 0.0f32, 0u32, units);
    for rank in 0..top_k {
        let (taken, taken_index) =
            best_of_all(score, index, &mut offered, &mut offered_indices, units);
        // NaN never ranks before another: the first expert instead of one out of bounds.
        let at = (u32::max(taken_index, 1u32) - 1) as usize;
        if unit == 0 {
            out[token * top_k + rank] = I::cast_from(start + at);
        }
        if at % units == unit {
            let (next, next_index) =
                best_of_row::<T>(scores, start, n_experts, taken, taken_index, units);
            score = next;
            index = next_index;
        }
    }
}

/// Keys in the order of descending scores.
#[cube(launch_unchecked, address_type = "dynamic")]
fn keys_kernel(scores: &Tensor<f32>, keys: &mut Tensor<u32>, total: usize) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    // The bits of positive floats ascend with them, those of negative ones descend.
    let bits = u32::reinterpret(scores[ABSOLUTE_POS]);
    keys[ABSOLUTE_POS] = select(bits >= 0x8000_0000u32, bits, bits ^ 0x7fff_ffffu32);
}

/// The first `capacity` pairs of each expert: those of the positions `order`, which has `tokens` of each expert.
#[cube(launch_unchecked, address_type = "dynamic")]
fn first_pairs_kernel(
    pairs: &Tensor<u32>,
    order: &Tensor<u32>,
    out: &mut Tensor<u32>,
    tokens: usize,
    capacity: usize,
    total: usize,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let place = ABSOLUTE_POS / capacity * tokens + ABSOLUTE_POS % capacity;
    out[ABSOLUTE_POS] = pairs[order[place] as usize];
}

/// The format of integers on the device of a tensor, which holds all pairs.
fn integers(like: &CubeTensor, tokens: usize, n_experts: usize) -> IntDType {
    let format = get_or_init_device_settings::<CubeBackend>(&like.device).int_dtype;
    assert!(
        DType::from(format).size() > 4 || tokens * n_experts <= i32::MAX as usize,
        "{tokens} tokens and {n_experts} experts have pairs beyond 32 bits"
    );
    format
}

/// [`crate::kernels::routing::RoutingOps::choose_experts`].
pub fn choose_experts(scores: CubeTensor, top_k: usize) -> CubeTensor {
    let scores = into_contiguous(scores);
    let [tokens, n_experts]: [usize; 2] = scores.shape().dims();
    let format = integers(&scores, tokens, n_experts);
    let out = empty(&scores, [tokens * top_k], format.into());
    let client = out.client.clone();
    let dim = together(&client, SEARCHERS);
    let address = addresses(&[&scores, &out]);
    let elements = elements([&scores, &out]);
    // SAFETY: every index follows from the shapes.
    unsafe {
        choose_experts_kernel::launch_unchecked(
            &client,
            cubes(&client, tokens),
            dim,
            address,
            scores.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            n_experts,
            top_k,
            tokens,
            dim.num_elems() as usize,
            elements,
        );
    }
    out
}

/// [`crate::kernels::routing::RoutingOps::choose_tokens`].
pub fn choose_tokens(scores: CubeTensor, capacity: usize) -> CubeTensor {
    let scores = into_contiguous(scores);
    let [tokens, n_experts]: [usize; 2] = scores.shape().dims();
    let format = integers(&scores, tokens, n_experts);
    assert_eq!(scores.dtype, DType::F32, "scores of a router");
    let total = tokens * n_experts;
    let keys = empty(&scores, [total], DType::U32);
    let chosen = empty(&scores, [n_experts * capacity], DType::U32);
    let client = scores.client.clone();
    let address = addresses(&[&scores]);
    let (count, dim) = independent(&client, total);
    // SAFETY: here and below every index follows from the shapes: each pair is once among the sorted ones.
    unsafe {
        keys_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            scores.into_tensor_arg(),
            keys.clone().into_tensor_arg(),
            total,
        );
    }
    let by_score = by_row(keys, 1 << u32::BITS).entries;
    let by_expert = by_row(experts_of(&by_score, n_experts), n_experts).entries;
    let (count, dim) = independent(&client, n_experts * capacity);
    unsafe {
        first_pairs_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            by_score.into_tensor_arg(),
            by_expert.into_tensor_arg(),
            chosen.clone().into_tensor_arg(),
            tokens,
            capacity,
            n_experts * capacity,
        );
    }
    CubeBackend::int_cast(by_row(chosen, total).rows, format)
}
