//! Single kernels.

use std::hint::black_box;

use architectures::kernels::lookup;
use architectures::{Pass, ValueTable};
use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use harness::train::optimizer;
use rand::Rng;
use random::stream;

use crate::row::Work;

fn normal<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

/// Uniformly random ids of rows of a table with `rows` rows, in 64 bits as the product-key search gives them and as PyTorch's side.
fn ids(rows: usize, shape: [usize; 2], device: &Device) -> Tensor<2, Int> {
    let mut rng = stream(0, "ids", 0);
    let ids = (0..shape[0] * shape[1]).map(|_| rng.random_range(0..rows as i64));
    Tensor::from_data(
        TensorData::new(ids.collect::<Vec<_>>(), shape),
        (device, DType::I64),
    )
}

/// Weighted sums of table rows: `table [rows, width]`, `lookups [tokens, per_token]`.
pub fn bag(table: [usize; 2], lookups: [usize; 2]) -> Work {
    let device = Device::flex();
    let ids = ids(table[0], lookups, &device);
    let weights = normal(lookups, &device);
    let table = ValueTable::from_tensor(normal(table, &device)).values();
    let sink = Tensor::zeros([1, 1], &device);
    Work::of(move || {
        black_box(lookup::bag(
            table.clone(),
            ids.clone(),
            weights.clone(),
            sink.clone(),
        ));
    })
}

/// [`bag`] with autodiff: also the gradient of the weights, and an update of the table.
pub fn table_step(table: [usize; 2], lookups: [usize; 2]) -> Work {
    let device = Device::flex().autodiff();
    let training = super::training(1);
    // Without clipping, as in PyTorch's optimizer; the norm is computed nevertheless.
    let adam = architectures::LazyAdam {
        max_norm: None,
        ..optimizer::lazy_adam(&training)
    };
    let inner = device.clone().inner();
    let ids = ids(table[0], lookups, &inner);
    let weights: Tensor<2> = normal(lookups, &device);
    let output_gradient: Tensor<2> = normal([lookups[0], table[1]], &device);
    let table = ValueTable::from_tensor(normal(table, &inner));
    let table_parameters = table.rows() * table.width();
    let step = move || {
        let mut pass = Pass::training();
        let weights = weights.clone().require_grad();
        let y = table.bag(ids.clone(), weights.clone(), &mut pass);
        let gradients = (y * output_gradient.clone()).sum().backward();
        black_box(weights.grad(&gradients));
        for (table, parts) in pass.into_table_gradients(&gradients) {
            black_box(table.update(parts, &adam, training.table_learning_rate));
        }
    };
    Work {
        table_parameters,
        ..Work::of(step)
    }
}

/// Top-k of the products of half-keys with `scores [heads, 2, tokens, n_keys]`.
pub fn selection(scores: [usize; 4], top_k: usize) -> Work {
    let scores = normal(scores, &Device::flex());
    Work::of(move || {
        black_box(lookup::product_key_top_k(scores.clone(), top_k));
    })
}
