//! Table lookups, product-key selection and row-wise Adam.

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, Flex, TensorMetadata};
use burn::tensor::{DType, TensorData};

use super::{adam, assert_close, floats, host, ids, integers, listed, numbers};
use crate::kernels::adam_step::AdamStep;
use crate::kernels::composed::{lookup, row_adam};
use crate::kernels::lookup::LookupOps;

type Lookup<B> = fn(FloatTensor<B>, IntTensor<B>, FloatTensor<B>) -> FloatTensor<B>;
type Tables<B> = (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);
type Update<B> = fn(
    Tables<B>,
    IntTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    AdamStep,
) -> (Tables<B>, FloatTensor<B>);

type Sums<B> =
    fn(IntTensor<B>, FloatTensor<B>, FloatTensor<B>, usize) -> (IntTensor<B>, FloatTensor<B>);

/// One implementation of [`LookupOps`].
pub struct Lookups<B: Backend> {
    bag: Lookup<B>,
    dot: Lookup<B>,
    product_key_top_k: fn(FloatTensor<B>, usize) -> IntTensor<B>,
    pair_scores: fn(FloatTensor<B>, IntTensor<B>) -> FloatTensor<B>,
    pair_scores_backward: fn(FloatTensor<B>, IntTensor<B>, usize) -> FloatTensor<B>,
    row_sums: Sums<B>,
    row_adam: Update<B>,
}

/// Small enough that every operation has several pieces.
const MAX_BYTES: usize = 1 << 10;

#[cfg(any(feature = "tch", feature = "cube"))]
impl<B: LookupOps> Lookups<B> {
    /// The backend's implementation.
    pub fn own() -> Self {
        Self {
            bag: |table, ids, weights| B::bag(table, ids, weights.clone(), weights),
            dot: |table, ids, inputs| B::dot(table, ids, inputs.clone(), inputs),
            product_key_top_k: B::product_key_top_k,
            pair_scores: B::pair_scores,
            pair_scores_backward: B::pair_scores_backward,
            row_sums: B::row_sums,
            row_adam: |(table, mean, square), ids, weights, values, step| {
                let (table, mean, square, norm) =
                    B::row_adam(table, mean, square, ids, weights, values, step);
                ((table, mean, square), norm)
            },
        }
    }
}

impl<B: Backend> Lookups<B> {
    /// The composed bodies on the backend.
    pub fn composed() -> Self {
        Self {
            bag: |table, ids, weights| lookup::bag::<B>(table, ids, weights, MAX_BYTES),
            dot: |table, ids, inputs| lookup::dot::<B>(table, ids, inputs, MAX_BYTES),
            product_key_top_k: |scores, k| {
                lookup::product_key_top_k::<B>(scores, k, lookup::best::<B>)
            },
            pair_scores: lookup::pair_scores::<B>,
            pair_scores_backward: lookup::pair_scores_backward::<B>,
            row_sums: |ids, weights, values, _| {
                row_adam::row_sums::<B>(ids, weights, values, MAX_BYTES)
            },
            row_adam: |tables, ids, weights, values, step| {
                let write = row_adam::write::<B>;
                let (table, mean, square, norm) =
                    row_adam::row_adam::<B>(tables, ids, weights, values, step, MAX_BYTES, write);
                ((table, mean, square), norm)
            },
        }
    }

    /// Panics where this differs from the CPU kernels by more than `tolerance` of the largest element. Tables, weights
    /// and inputs are in `dtype`; the CPU gets the same numbers in f32.
    pub fn agree(&self, device: &Device<B>, dtype: DType, tolerance: f32) {
        self.lookups_agree(device, dtype, tolerance);
        self.updates_agree(device, dtype, tolerance);
        self.selections_agree(device, tolerance);
    }

    fn lookups_agree(&self, device: &Device<B>, dtype: DType, tolerance: f32) {
        let (rows, tokens) = (50, 19);
        for (width, per_token) in [(1, 1), (3, 7), (48, 32), (64, 5), (100, 9), (256, 3)] {
            let what = format!("width {width}, {per_token} a token, {dtype:?}");
            let exact = |name: &str, shape| numbers(name, shape).convert_dtype(dtype);
            let table = exact("table", [rows, width]);
            let weights = exact("weights", [tokens, per_token]);
            let inputs = exact("inputs", [tokens, width]);
            let slots = ids("slots", [tokens, per_token], rows);
            let here = |data: &TensorData| floats::<B>(data, dtype, device);
            let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
            let (our_slots, their_slots) = (
                integers::<B>(&slots, device),
                integers::<Flex>(&slots, &Default::default()),
            );
            let found = (self.bag)(here(&table), our_slots.clone(), here(&weights));
            let sink = there(&weights);
            let expected = Flex::bag(there(&table), their_slots.clone(), sink.clone(), sink);
            assert_close::<B, Flex>(&format!("bag, {what}"), found, expected, tolerance);
            let found = (self.dot)(here(&table), our_slots, here(&inputs));
            let sink = there(&inputs);
            let expected = Flex::dot(there(&table), their_slots, sink.clone(), sink);
            assert_close::<B, Flex>(&format!("dot, {what}"), found, expected, tolerance);
        }
    }

    /// Several steps, clipped and not; one row that most entries fall on, many that few do, some that none does.
    fn updates_agree(&self, device: &Device<B>, dtype: DType, tolerance: f32) {
        for (tokens, per_token, rows, width) in [(700, 3, 300, 5), (33, 4, 60, 64)] {
            let here = |data: &TensorData| floats::<B>(data, dtype, device);
            let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
            let start = [
                numbers("table", [rows, width]).convert_dtype(dtype),
                TensorData::zeros::<f32, _>([rows, width]),
            ];
            let mut found = (here(&start[0]), here(&start[1]), here(&start[1]));
            let mut expected = (there(&start[0]), there(&start[1]), there(&start[1]));
            for (step, max_norm) in [(1, None), (2, Some(0.5)), (3, Some(1e6))] {
                let slots: Vec<i64> = ids("slots", [tokens, per_token], 3 * rows)
                    .iter::<i64>()
                    .map(|id| if id < rows as i64 - 7 { id } else { 2 })
                    .collect();
                let slots = TensorData::new(slots, [tokens, per_token]);
                let weights = numbers("weights", [tokens, per_token]).convert_dtype(dtype);
                let values = numbers("values", [tokens, width]).convert_dtype(dtype);
                let (found_ids, found_sums) = (self.row_sums)(
                    integers::<B>(&slots, device),
                    here(&weights),
                    here(&values),
                    rows,
                );
                let (expected_ids, expected_sums) = Flex::row_sums(
                    integers::<Flex>(&slots, &Default::default()),
                    there(&weights),
                    there(&values),
                    rows,
                );
                // Written to their rows: the order of the ids differs.
                let dense = |ids: Vec<i64>, sums: Vec<f32>| {
                    let mut dense = vec![f32::NAN; rows * width];
                    for (id, sum) in ids.iter().zip(sums.chunks_exact(width)) {
                        dense[*id as usize * width..][..width].copy_from_slice(sum);
                    }
                    dense
                };
                let found_sums = dense(listed::<B>(found_ids), host::<B>(found_sums).1);
                let expected_sums =
                    dense(listed::<Flex>(expected_ids), host::<Flex>(expected_sums).1);
                for (found, expected) in found_sums.iter().zip(&expected_sums) {
                    let both_absent = found.is_nan() && expected.is_nan();
                    assert!(
                        both_absent
                            || (found - expected).abs() <= tolerance * expected.abs().max(1.0)
                    );
                }
                let adam = adam(step, max_norm);
                let (tables, norm) = (self.row_adam)(
                    found,
                    integers::<B>(&slots, device),
                    here(&weights),
                    here(&values),
                    adam,
                );
                found = tables;
                let (table, mean, square, expected_norm) = Flex::row_adam(
                    expected.0,
                    expected.1,
                    expected.2,
                    integers::<Flex>(&slots, &Default::default()),
                    there(&weights),
                    there(&values),
                    adam,
                );
                expected = (table, mean, square);
                let what =
                    |part: &str| format!("{part} of {rows} x {width}, step {step}, {dtype:?}");
                assert_close::<B, Flex>(&what("norm"), norm, expected_norm, tolerance);
                for (part, found, expected) in [
                    ("table", &found.0, &expected.0),
                    ("mean", &found.1, &expected.1),
                    ("square", &found.2, &expected.2),
                ] {
                    assert_close::<B, Flex>(
                        &what(part),
                        found.clone(),
                        expected.clone(),
                        tolerance,
                    );
                }
            }
            // An update must not change a tensor that shares the storage.
            let held = found.0.clone();
            let before = host::<B>(held.clone());
            let slots = ids("slots", [tokens, per_token], rows);
            let _ = (self.row_adam)(
                found,
                integers::<B>(&slots, device),
                here(&numbers("weights", [tokens, per_token])),
                here(&numbers("values", [tokens, width])),
                adam(4, None),
            );
            assert_eq!(host::<B>(held), before);
        }
    }

    fn selections_agree(&self, device: &Device<B>, tolerance: f32) {
        let (heads, rows) = (2, 5);
        for (n, k) in [(1, 1), (4, 4), (16, 3), (33, 32), (64, 7), (300, 32)] {
            let what = format!("{k} of {n}");
            let scores = numbers("scores", [heads, 2, rows, n]);
            let here = |data: &TensorData| floats::<B>(data, DType::F32, device);
            let there = |data: &TensorData| floats::<Flex>(data, DType::F32, &Default::default());
            let found = (self.product_key_top_k)(here(&scores), k);
            let expected = Flex::product_key_top_k(there(&scores), k);
            let shape: [usize; 3] = found.shape().dims();
            assert_eq!(shape, [heads, rows, k], "{what}");
            let found = listed::<B>(found);
            let expected = listed::<Flex>(expected);
            assert_eq!(found, expected, "{what}");

            let chosen = TensorData::new(found, [heads, rows, k]);
            let here_ids = integers::<B>(&chosen, device);
            let there_ids = integers::<Flex>(&chosen, &Default::default());
            assert_close::<B, Flex>(
                &format!("pair scores, {what}"),
                (self.pair_scores)(here(&scores), here_ids.clone()),
                Flex::pair_scores(there(&scores), there_ids.clone()),
                tolerance,
            );
            let grad = numbers("grad", [heads, rows, k]);
            assert_close::<B, Flex>(
                &format!("gradient of pair scores, {what}"),
                (self.pair_scores_backward)(here(&grad), here_ids, n),
                Flex::pair_scores_backward(there(&grad), there_ids, n),
                tolerance,
            );
        }
        // Ids that f32 cannot hold: 8191 * 8192 + 8190 and its like.
        let n = 8192;
        let scores = numbers("scores", [1, 2, 1, n]);
        let slots = [67_108_862i64, 67_108_863, 33_570_817, 8191];
        let slots = TensorData::new(slots.to_vec(), [1, 1, 4]);
        assert_close::<B, Flex>(
            "pair scores of large ids",
            (self.pair_scores)(
                floats::<B>(&scores, DType::F32, device),
                integers::<B>(&slots, device),
            ),
            Flex::pair_scores(
                floats::<Flex>(&scores, DType::F32, &Default::default()),
                integers::<Flex>(&slots, &Default::default()),
            ),
            tolerance,
        );
    }
}
