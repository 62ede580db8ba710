//! Tests that an implementation of the extensions agrees with the CPU kernels on the same numbers.

mod layer;
mod lookups;
mod mixture;
mod routing;

use burn::backend::tensor::{Device, FloatTensor, IntTensor};
use burn::backend::{Backend, TensorMetadata, get_or_init_device_settings, read_sync};
use burn::tensor::{DType, TensorData};
use rand::Rng;

pub use layer::Layer;
pub use lookups::Lookups;
pub use mixture::Mixture;
#[cfg(any(feature = "tch", feature = "cube"))]
pub use mixture::searches_agree;
pub use routing::Routing;

use crate::kernels::adam_step::AdamStep;
use crate::kernels::stochastic_rounding::RoundingCounters;
use random::stream;

/// Numbers between minus and plus one, a function of name and shape.
fn numbers<const D: usize>(name: &str, shape: [usize; D]) -> TensorData {
    let len = shape.iter().product();
    let mut rng = stream(5, name, len as u64);
    let values: Vec<f32> = (0..len).map(|_| rng.random_range(-1.0..1.0)).collect();
    TensorData::new(values, shape)
}

/// Ids below `bound`.
fn ids<const D: usize>(name: &str, shape: [usize; D], bound: usize) -> TensorData {
    let len = shape.iter().product();
    let mut rng = stream(6, name, len as u64);
    let values: Vec<i64> = (0..len)
        .map(|_| rng.random_range(0..bound as i64))
        .collect();
    TensorData::new(values, shape)
}

/// A tensor on a device, in a number format.
fn floats<B: Backend>(data: &TensorData, dtype: DType, device: &Device<B>) -> FloatTensor<B> {
    B::float_from_data(data.clone().convert_dtype(dtype), device)
}

fn integers<B: Backend>(data: &TensorData, device: &Device<B>) -> IntTensor<B> {
    let dtype = get_or_init_device_settings::<B>(device).int_dtype;
    B::int_from_data(data.clone().convert_dtype(dtype.into()), device)
}

fn host<B: Backend>(tensor: FloatTensor<B>) -> (Vec<usize>, Vec<f32>) {
    let shape = (0..tensor.rank()).map(|d| tensor.shape()[d]).collect();
    let data = read_sync(B::float_into_data(tensor)).unwrap();
    (shape, data.iter::<f32>().collect())
}

fn listed<B: Backend>(tensor: IntTensor<B>) -> Vec<i64> {
    let data = read_sync(B::int_into_data(tensor)).unwrap();
    data.iter::<i64>().collect()
}

/// Panics where two tensors differ in shape or, by more than `tolerance` of the largest expected element, in value.
fn assert_close<A: Backend, B: Backend>(
    what: &str,
    found: FloatTensor<A>,
    expected: FloatTensor<B>,
    tolerance: f32,
) {
    let (found, expected) = (host::<A>(found), host::<B>(expected));
    assert_eq!(found.0, expected.0, "{what}");
    let size = expected.1.iter().fold(1e-3f32, |size, x| size.max(x.abs()));
    for (index, (found, expected)) in found.1.iter().zip(&expected.1).enumerate() {
        // Written so that NaN fails.
        let close = (found - expected).abs() <= tolerance * size;
        assert!(close, "{what}, {index}: {found} {expected}");
    }
}

fn adam(step: i32, max_norm: Option<f32>) -> AdamStep {
    AdamStep {
        learning_rate: 0.05,
        beta_1: 0.9,
        beta_2: 0.95,
        epsilon: 1e-8,
        step,
        max_norm,
        rounding: RoundingCounters::new(9, step as u32),
    }
}

#[test]
fn composed_operations_agree() {
    Lookups::<burn::backend::Flex>::composed().agree(&Default::default(), DType::F32, 1e-5);
    Lookups::<burn::backend::Flex>::composed().agree(&Default::default(), DType::BF16, 2e-2);
    Layer::<burn::backend::Flex>::composed().agree(&Default::default(), DType::F32, 1e-5);
    Layer::<burn::backend::Flex>::composed().agree_in_bf16(&Default::default());
    Mixture::<burn::backend::Flex>::composed().agree(&Default::default(), 1e-5);
    Routing::<burn::backend::Flex>::composed().agree(&Default::default());
}
