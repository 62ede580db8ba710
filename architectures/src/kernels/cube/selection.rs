//! Product-key selection, exact and with the CPU kernels' order among equals.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, cubes, elements, empty, together};

/// Units that search one row.
const SEARCHERS: u32 = 32;

/// Whether a score at a place is ahead of another: higher, or as high and earlier.
#[cube]
fn ahead(score: f32, place: u32, other: f32, other_place: u32) -> bool {
    score > other || (score == other && place < other_place)
}

/// The best of what every unit puts forward; places count from one, and zero is none. The same for all units.
#[cube]
fn best_of_all(
    score: f32,
    place: u32,
    scores: &mut Shared<[f32]>,
    places: &mut Shared<[u32]>,
    #[comptime] units: usize,
) -> (f32, u32) {
    let unit = UNIT_POS as usize;
    scores[unit] = score;
    places[unit] = place;
    sync_cube();
    #[unroll]
    for step in 0..comptime![units.ilog2() as usize] {
        let half = comptime![units >> (step + 1)];
        if unit < half {
            let (other, other_place) = (scores[unit + half], places[unit + half]);
            if other_place > 0
                && (places[unit] == 0 || ahead(other, other_place, scores[unit], places[unit]))
            {
                scores[unit] = other;
                places[unit] = other_place;
            }
        }
        sync_cube();
    }
    let (score, place) = (scores[0], places[0]);
    // Nobody may put forward the next before all have read this one.
    sync_cube();
    (score, place)
}

/// The best of a unit's own share of a row that comes after the last one taken; place zero if none does.
#[cube]
fn best_of_row<T: Float>(
    row: &Tensor<T>,
    start: usize,
    n: usize,
    taken: f32,
    taken_place: u32,
    #[comptime] units: usize,
) -> (f32, u32) {
    let mut best = 0.0f32;
    let mut best_place = 0u32;
    let mut at = UNIT_POS as usize;
    while at < n {
        let score = f32::cast_from(row[start + at]);
        let place = at as u32 + 1;
        if (taken_place == 0 || ahead(taken, taken_place, score, place))
            && (best_place == 0 || score > best)
        {
            best = score;
            best_place = place;
        }
        at += units;
    }
    (best, best_place)
}

/// The same among the pairs of ranks (a, b) with (a+1)(b+1) <= k; a unit's share are its a, and `a k + b + 1` the place.
#[cube]
fn best_of_pairs(
    kept: &Shared<[f32]>,
    k: usize,
    taken: f32,
    taken_place: u32,
    #[comptime] units: usize,
) -> (f32, u32) {
    let mut best = 0.0f32;
    let mut best_place = 0u32;
    let mut a = UNIT_POS as usize;
    while a < k {
        for b in 0..k / (a + 1) {
            let score = kept[a] + kept[k + b];
            let place = (a * k + b) as u32 + 1;
            if (taken_place == 0 || ahead(taken, taken_place, score, place))
                && (best_place == 0 || score > best)
            {
                best = score;
                best_place = place;
            }
        }
        a += units;
    }
    (best, best_place)
}

/// One cube for each head and row. Every unit keeps the best of its share; the best of all is taken k times, and only
/// the unit it belonged to searches its share again.
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
    let index = CUBE_POS;
    if index >= total {
        terminate!();
    }
    let unit = UNIT_POS as usize;
    let mut offered = Shared::<[f32]>::new_slice(units);
    let mut offered_places = Shared::<[u32]>::new_slice(units);
    let mut kept = Shared::<[f32]>::new_slice(2 * k);
    let mut kept_places = Shared::<[u32]>::new_slice(2 * k);
    #[unroll]
    for half in 0..2usize {
        let start = ((index / rows * 2 + half) * rows + index % rows) * n;
        let (mut score, mut place) = best_of_row::<T>(scores, start, n, 0.0f32, 0u32, units);
        for rank in 0..k {
            let (taken, taken_place) =
                best_of_all(score, place, &mut offered, &mut offered_places, units);
            // What is not a number is never ahead: rather the first place than one outside.
            let at = u32::max(taken_place, 1u32) - 1;
            if unit == 0 {
                kept[half * k + rank] = taken;
                kept_places[half * k + rank] = at;
            }
            if at as usize % units == unit {
                let (next, next_place) =
                    best_of_row::<T>(scores, start, n, taken, taken_place, units);
                score = next;
                place = next_place;
            }
        }
    }
    sync_cube();
    let (mut score, mut place) = best_of_pairs(&kept, k, 0.0f32, 0u32, units);
    for rank in 0..k {
        let (taken, taken_place) =
            best_of_all(score, place, &mut offered, &mut offered_places, units);
        let at = (u32::max(taken_place, 1u32) - 1) as usize;
        let a = at / k;
        if unit == 0 {
            let id = kept_places[a] as usize * n + kept_places[k + at % k] as usize;
            out[index * k + rank] = I::cast_from(id);
        }
        if a % units == unit {
            let (next, next_place) = best_of_pairs(&kept, k, taken, taken_place, units);
            score = next;
            place = next_place;
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
