use super::*;
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
    table.allocate_moments();
    assert_equals_dense_adam(&table, &device);
}

/// A table after `updates` updates, [`update_once`] each.
pub(super) fn updated_table(updates: u64) -> ValueTable {
    let table = ValueTable::new("values", ROWS, WIDTH, 1.0, 0, &Device::flex());
    (0..updates).for_each(|step| update_once(&table, step));
    table
}

/// One update by a gradient that depends on `step`.
pub(super) fn update_once(table: &ValueTable, step: u64) {
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
    };
    table.update(vec![part], &optimizer, 0.05);
}

fn assert_equals_dense_adam(table: &ValueTable, device: &Device) {
    let optimizer = LazyAdam {
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        max_norm: Some(MAX_NORM),
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
        let norm = table.update(parts, &optimizer, 0.05);
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
