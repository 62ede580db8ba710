use super::*;
use crate::host_copy;
use burn::tensor::TensorData;
use rand::Rng;
use random::stream;

const ROWS: usize = 9;
const WIDTH: usize = 5;
const MAX_NORM: f32 = 4.0;

/// Adam on the dense, clipped gradient; rows without a gradient do not change.
#[derive(Default)]
struct Reference {
    mean: Vec<f32>,
    square: Vec<f32>,
    updates: i32,
}

impl Reference {
    fn step(
        &mut self,
        values: &mut [f32],
        gradient: &[f32],
        read: &[bool],
        learning_rate: f32,
    ) -> f32 {
        self.mean.resize(values.len(), 0.0);
        self.square.resize(values.len(), 0.0);
        self.updates += 1;
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let scale = (MAX_NORM / norm).min(1.0);
        for i in (0..values.len()).filter(|i| read[i / WIDTH]) {
            let g = scale * gradient[i];
            self.mean[i] = 0.9 * self.mean[i] + 0.1 * g;
            self.square[i] = 0.95 * self.square[i] + 0.05 * g * g;
            let mean = self.mean[i] / (1.0 - 0.9f32.powi(self.updates));
            let square = self.square[i] / (1.0 - 0.95f32.powi(self.updates));
            values[i] -= learning_rate * mean / (square.sqrt() + 1e-8);
        }
        norm
    }
}

#[test]
fn updates_are_those_of_dense_adam_clipped_or_not() {
    let device = Device::flex();
    let table = ValueTable::new("values", ROWS, WIDTH, 1.0, 0, &device);
    assert_equals_dense_adam(&table, &device);
}

#[test]
fn allocating_moments_early_changes_nothing() {
    let device = Device::flex();
    let table = ValueTable::new("values", ROWS, WIDTH, 1.0, 0, &device);
    table.allocate_moments(NumericFormat::F32);
    assert_equals_dense_adam(&table, &device);
}

/// A table, with values and moments in these formats, after `updates` updates, [`update_once`] each.
pub(super) fn updated_table(updates: u64, [values, moments]: [NumericFormat; 2]) -> ValueTable {
    let fill = |mut memory: TableValues| {
        let drawn = Init::TruncatedNormal(1.0).draw(0, "values", [ROWS, WIDTH]);
        memory.write(0, &drawn.iter::<f32>().collect::<Vec<_>>());
    };
    let table = ValueTable::filled([ROWS, WIDTH], values, &Device::flex(), fill);
    let table = table.with_rounding_bits(0x0123_4567_89ab_cdef);
    (0..updates).for_each(|step| update_once(&table, step, moments));
    table
}

/// One update by a gradient that depends on `step`.
pub(super) fn update_once(table: &ValueTable, step: u64, moments: NumericFormat) {
    let device = Device::flex();
    let mut rng = stream(2, "gradient", step);
    let ids: Vec<i64> = (0..6)
        .map(|_| rng.random_range(0..ROWS as i64 - 2))
        .collect();
    let mut drawn =
        |count: usize| -> Vec<f32> { (0..count).map(|_| rng.random_range(-1.0..1.0)).collect() };
    let part = TableGradient {
        ids: Tensor::from_data(TensorData::new(ids, [2, 3]), &device),
        weights: Tensor::from_data(TensorData::new(drawn(6), [2, 3]), &device),
        rows: Tensor::from_data(TensorData::new(drawn(2 * WIDTH), [2, WIDTH]), &device),
    };
    let optimizer = LazyAdam {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        max_norm: None,
        moments,
    };
    table.update(vec![part], &optimizer, 0.05);
}

fn assert_equals_dense_adam(table: &ValueTable, device: &Device) {
    let optimizer = LazyAdam {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        max_norm: Some(MAX_NORM),
        moments: NumericFormat::F32,
    };
    let mut values: Vec<f32> = table.values().into_data().iter::<f32>().collect();
    let mut reference = Reference::default();
    let mut clipped = Vec::new();
    for step in 0..6 {
        // Large and small gradients in turn; two parts, so that both are added; slots repeat, some are never read.
        let size = if step % 2 == 0 { 3.0 } else { 0.05 };
        let mut rng = stream(1, "gradient", step);
        let (mut gradient, mut read) = (vec![0f32; ROWS * WIDTH], vec![false; ROWS]);
        let mut parts = Vec::new();
        for _ in 0..2 {
            let ids: Vec<i64> = (0..6)
                .map(|_| rng.random_range(0..ROWS as i64 - 2))
                .collect();
            let weights: Vec<f32> = (0..6).map(|_| rng.random_range(-size..size)).collect();
            let rows: Vec<f32> = (0..2 * WIDTH)
                .map(|_| rng.random_range(-1.0..1.0))
                .collect();
            for (entry, &id) in ids.iter().enumerate() {
                read[id as usize] = true;
                for column in 0..WIDTH {
                    gradient[id as usize * WIDTH + column] +=
                        weights[entry] * rows[entry / 3 * WIDTH + column];
                }
            }
            parts.push(TableGradient {
                ids: Tensor::from_data(TensorData::new(ids, [2, 3]), device),
                weights: Tensor::from_data(TensorData::new(weights, [2, 3]), device),
                rows: Tensor::from_data(TensorData::new(rows, [2, WIDTH]), device),
            });
        }
        let expected = reference.step(&mut values, &gradient, &read, 0.05);
        let norm = host_copy::number(table.update(parts, &optimizer, 0.05));
        assert!(
            (norm - expected).abs() < 1e-4 * expected,
            "{norm} {expected}"
        );
        clipped.push(norm > MAX_NORM);
        for (found, expected) in table.values().into_data().iter::<f32>().zip(&values) {
            assert!(
                (found - expected).abs() < 1e-5,
                "step {step}: {found} {expected}"
            );
        }
    }
    assert!(
        clipped.contains(&true) && clipped.contains(&false),
        "{clipped:?}"
    );
}

/// The values in f32.
fn values(table: &ValueTable) -> Vec<f32> {
    table.values().into_data().iter::<f32>().collect()
}

/// Updates of 1/16 of a unit in the last place: rounding to nearest would lose all of them.
#[test]
fn small_updates_of_a_table_in_bf16_are_kept_on_average() {
    const STEPS: usize = 64;
    let (rows, width) = (64, 16);
    let fill = |mut memory: TableValues| memory.write(0, &vec![1.0; rows * width]);
    let device = Device::flex();
    let table = ValueTable::filled([rows, width], NumericFormat::Bf16, &device, fill)
        .with_rounding_bits(77);
    // Without memory of gradients, each step changes a value by the learning rate against the sign of its gradient.
    let optimizer = LazyAdam {
        beta_1: 0.0,
        beta_2: 0.0,
        epsilon: 1e-12,
        max_norm: None,
        moments: NumericFormat::F32,
    };
    let unit = 2f64.powi(-7);
    let rate = unit / 16.0;
    for _ in 0..STEPS {
        let ids: Vec<i64> = (0..rows as i64).collect();
        let part = TableGradient {
            ids: Tensor::from_data(TensorData::new(ids, [rows, 1]), &device),
            weights: Tensor::ones([rows, 1], &device),
            rows: Tensor::ones([rows, width], &device) * -1.0,
        };
        table.update(vec![part], &optimizer, rate);
    }
    let found = values(&table);
    let n = found.len() as f64;
    let mean = found.iter().map(|&x| f64::from(x)).sum::<f64>() / n;
    // Each step is a draw with probability 1/16 of one unit.
    let deviation = unit * (STEPS as f64 * (1.0 / 16.0) * (15.0 / 16.0)).sqrt();
    let expected = 1.0 + STEPS as f64 * rate;
    assert!(
        (mean - expected).abs() < 4.0 * deviation / n.sqrt(),
        "{mean} {expected}"
    );
    assert!(found.iter().all(|x| x.to_bits() & 0xffff == 0));
}

#[test]
fn rounding_does_not_depend_on_the_number_of_threads_and_does_on_the_bits_of_the_table() {
    let update = |threads: usize, bits: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(|| {
            let formats = [NumericFormat::Bf16; 2];
            let table = updated_table(0, formats).with_rounding_bits(bits);
            (0..5).for_each(|step| update_once(&table, step, NumericFormat::Bf16));
            values(&table)
        })
    };
    assert_eq!(update(1, 5), update(4, 5));
    assert_ne!(update(1, 5), update(1, 6));
}

/// Moments and values in bf16 differ from those in f32 by their rounding.
#[test]
fn updates_in_bf16_are_those_in_f32_up_to_rounding() {
    let exact = values(&updated_table(5, [NumericFormat::F32; 2]));
    for moments in [NumericFormat::F32, NumericFormat::Bf16] {
        let found = values(&updated_table(5, [NumericFormat::Bf16, moments]));
        for (found, exact) in found.iter().zip(&exact) {
            // Five roundings of at most one unit, and 5 steps of 0.05 whose moments are off by less than 5 %.
            let tolerance = 5.0 * 2f32.powi(-7) * exact.abs().max(0.5) + 0.0125;
            assert!((found - exact).abs() < tolerance, "{found} {exact}");
        }
    }
}
