//! The operations on Burn's CPU backend, Flex, one extension per file: inputs are borrowed as slices, each output is one
//! allocation.

mod experts;
mod fused;
mod lookup;
mod product_key_search;

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::IntTensor;
use burn::tensor::{DType, TensorData};

/// The values of a contiguous f32 tensor.
fn floats(tensor: &FlexTensor) -> &[f32] {
    match tensor.as_slice() {
        Some(values) => values,
        None => panic!("the CPU kernels require f32, not {:?}", tensor.dtype()),
    }
}

/// Ids as 64-bit integers, copied only if the tensor has 32.
fn ids(tensor: IntTensor<Flex>) -> FlexTensor {
    let tensor = tensor.to_contiguous();
    match tensor.dtype() {
        DType::I64 => tensor,
        DType::I32 => {
            let narrow = tensor.as_slice::<i32>().unwrap_or_default();
            let wide: Vec<i64> = narrow.iter().map(|&id| i64::from(id)).collect();
            FlexTensor::from_data(TensorData::new(wide, tensor.shape()))
        }
        other => panic!("ids must be integers of 32 or 64 bits, not {other:?}"),
    }
}

fn id_slice(tensor: &FlexTensor) -> &[i64] {
    tensor.as_slice().unwrap_or_default()
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(values, shape))
}
