//! The operations on Burn's CPU backend, Flex, one extension per file: inputs are borrowed as slices, each output is one
//! allocation. Operands of products in bf16 are copied to f32, and results rounded: products in bf16 are right and slow here.

mod experts;
mod fused;
mod lookup;
mod product_key_search;
mod row_top_k;

use burn::backend::Flex;
use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::IntTensor;
use burn::tensor::{DType, Shape, TensorData, bf16};

use super::bf16_rounding::{narrow_into, round, widened};
use super::table_element::TableElement;

/// The values of a contiguous f32 tensor.
fn floats(tensor: &FlexTensor) -> &[f32] {
    elements(tensor)
}

/// The values of a contiguous tensor of this type.
fn elements<T: TableElement>(tensor: &FlexTensor) -> &[T] {
    match tensor.as_slice() {
        Some(values) => values,
        None => panic!(
            "the CPU kernel requires {:?}, not {:?}",
            T::dtype(),
            tensor.dtype()
        ),
    }
}

/// A contiguous tensor in f32: a copy if it is in bf16.
fn singles(tensor: &FlexTensor) -> FlexTensor {
    let tensor = tensor.to_contiguous();
    match tensor.as_slice::<bf16>() {
        Some(narrow) => FlexTensor::from_data(TensorData::new(widened(narrow), tensor.shape())),
        None => tensor,
    }
}

/// Values in the format `dtype`, rounded to nearest.
fn rounded(values: Vec<f32>, shape: impl Into<Shape>, dtype: DType) -> FlexTensor {
    let shape = shape.into();
    if dtype == DType::F32 {
        return FlexTensor::from_data(TensorData::new(values, shape));
    }
    assert_eq!(dtype, DType::BF16, "products are in f32 or bf16");
    let mut narrow = vec![bf16::ZERO; values.len()];
    narrow_into(&values, &mut narrow);
    FlexTensor::from_data(TensorData::new(narrow, shape))
}

/// The rounding of a product's operands and scores for inputs in `dtype`; f32 is kept.
fn rounding(dtype: DType) -> impl Fn(&mut [f32]) + Sync {
    move |values| {
        if dtype == DType::BF16 {
            round(values);
        }
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
