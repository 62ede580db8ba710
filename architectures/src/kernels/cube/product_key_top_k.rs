//! Product-key selection, exact and with the CPU kernels' order of equal scores.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, cubes, elements, empty, together};

/// Units that search one row.
const SEARCHERS: u32 = 32;

/// Whether a score ranks before another: higher, or equal and at a lower index.
#[cube]
fn ahead(score: f32, index: u32, other: f32, other_index: u32) -> bool {
    score > other || (score == other && index < other_index)
}

/// The best of all units' candidates, returned to all units. Indices count from one; zero is no candidate.
#[cube]
pub fn best_of_all(
    score: f32,
    index: u32,
    scores: &mut Shared<[f32]>,
    indices: &mut Shared<[u32]>,
    #[comptime] units: usize,
) -> (f32, u32) {
    let unit = UNIT_POS as usize;
    scores[unit] = score;
    indices[unit] = index;
    sync_cube();
    #[unroll]
    for step in 0..comptime![units.ilog2() as usize] {
        let half = comptime![units >> (step + 1)];
        if unit < half {
            let (other, other_index) = (scores[unit + half], indices[unit + half]);
            if other_index > 0
                && (indices[unit] == 0 || ahead(other, other_index, scores[unit], indices[unit]))
            {
                scores[unit] = other;
                indices[unit] = other_index;
            }
        }
        sync_cube();
    }
    let (score, index) = (scores[0], indices[0]);
    // No unit may write its next candidate before all have read this result.
    sync_cube();
    (score, index)
}

/// The best of a unit's share of a row that ranks after the last one taken; index zero if there is none.
#[cube]
pub fn best_of_row<T: Float>(
    row: &Tensor<T>,
    start: usize,
    n: usize,
    taken: f32,
    taken_index: u32,
    #[comptime] units: usize,
) -> (f32, u32) {
    let mut best = 0.0f32;
    let mut best_index = 0u32;
    let mut at = UNIT_POS as usize;
    while at < n {
        let score = f32::cast_from(row[start + at]);
        let index = at as u32 + 1;
        if (taken_index == 0 || ahead(taken, taken_index, score, index))
            && (best_index == 0 || score > best)
        {
            best = score;
            best_index = index;
        }
        at += units;
    }
    (best, best_index)
}

/// The same among the pairs of ranks (a, b) with (a+1)(b+1) <= k; a unit's share is a set of `a`, and the index is
/// `a k + b + 1`.
#[cube]
fn best_of_pairs(
    kept: &Shared<[f32]>,
    k: usize,
    taken: f32,
    taken_index: u32,
    #[comptime] units: usize,
) -> (f32, u32) {
    let mut best = 0.0f32;
    let mut best_index = 0u32;
    let mut a = UNIT_POS as usize;
    while a < k {
        for b in 0..k / (a + 1) {
            let score = kept[a] + kept[k + b];
            let index = (a * k + b) as u32 + 1;
            if (taken_index == 0 || ahead(taken, taken_index, score, index))
                && (best_index == 0 || score > best)
            {
                best = score;
                best_index = index;
            }
        }
        a += units;
    }
    (best, best_index)
}

/// One cube for each head and row. Every unit keeps the best of its share; the best of all is taken k times, and only the
/// unit of the one taken searches its share again.
#[cube(launch_unchecked, address_type = "dynamic")]
fn top_k_kernel<T: Float, I: Int>(
    scores: &Tensor<T>,
    out: &mut Tensor<I>,
    rows: usize,
    n: usize,
    total: usize,
    #[comptime] k: usize,
    #[comptime] units: usize,
    #[define(T, I)] _elements: [ElemType; 2],
) {
    let cube = CUBE_POS;
    if cube >= total {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut offered = Shared::<[f32]>::new_slice(units);
    let mut offered_indices = Shared::<[u32]>::new_slice(units);
    let mut kept = Shared::<[f32]>::new_slice(2 * k);
    let mut kept_indices = Shared::<[u32]>::new_slice(2 * k);
    #[unroll]
    for half in 0..2usize {
        let start = ((cube / rows * 2 + half) * rows + cube % rows) * n;
        let (mut score, mut index) = best_of_row::<T>(scores, start, n, 0.0f32, 0u32, units);
        for rank in 0..k {
            let (taken, taken_index) =
                best_of_all(score, index, &mut offered, &mut offered_indices, units);
            // NaN never ranks before another: the first index instead of one out of bounds.
            let at = u32::max(taken_index, 1u32) - 1;
            if unit == 0 {
                kept[half * k + rank] = taken;
                kept_indices[half * k + rank] = at;
            }
            if at as usize % units == unit {
                let (next, next_index) =
                    best_of_row::<T>(scores, start, n, taken, taken_index, units);
                score = next;
                index = next_index;
            }
        }
    }
    sync_cube();
    let (mut score, mut index) = best_of_pairs(&kept, k, 0.0f32, 0u32, units);
    for rank in 0..k {
        let (taken, taken_index) =
            best_of_all(score, index, &mut offered, &mut offered_indices, units);
        let at = (u32::max(taken_index, 1u32) - 1) as usize;
        let a = at / k;
        if unit == 0 {
            let id = kept_indices[a] as usize * n + kept_indices[k + at % k] as usize;
            out[cube * k + rank] = I::cast_from(id);
        }
        if a % units == unit {
            let (next, next_index) = best_of_pairs(&kept, k, taken, taken_index, units);
            score = next;
            index = next_index;
        }
    }
}

/// Ids of the `k` best pairs, best first, `[heads, rows, k]` in `integers`; `scores [heads, 2, rows, n]`.
pub fn product_key_top_k(scores: CubeTensor, k: usize, integers: DType) -> CubeTensor {
    let scores = into_contiguous(scores);
    let [heads, _, rows, n]: [usize; 4] = scores.shape().dims();
    assert!(
        integers.size() > 4 || n * n <= i32::MAX as usize,
        "{n} squared slots have ids beyond 32 bits"
    );
    let out = empty(&scores, [heads, rows, k], integers);
    let (client, total) = (out.client.clone(), heads * rows);
    let dim = together(&client, SEARCHERS);
    let address = addresses(&[&scores, &out]);
    let elements = elements([&scores, &out]);
    // SAFETY: every index follows from the shapes.
    unsafe {
        top_k_kernel::launch_unchecked(
            &client,
            cubes(&client, total),
            dim,
            address,
            scores.into_tensor_arg(),
            out.clone().into_tensor_arg(),
            rows,
            n,
            total,
            k,
            dim.num_elems() as usize,
            elements,
        );
    }
    out
}
