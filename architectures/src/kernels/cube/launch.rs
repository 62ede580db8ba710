//! Arguments of kernel launches: contiguous tensors, vector and address widths, numbers of cubes and units.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::client::Client;
use cubecl::ir::{AddressType, ElemType, VectorSize};
use cubecl::prelude::{CubeCount, CubeDim};

/// Most units of a cooperative cube.
const UNITS: u32 = 256;

/// Most vectors whose loads a unit has in flight.
const AT_ONCE: usize = 4;

/// `tensor` with contiguous storage that no other tensor shares, so that a kernel may write to it.
pub fn exclusive(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    match tensor.can_mut() {
        true => tensor,
        false => tensor.copy(),
    }
}

/// An uninitialised tensor on the device of another.
pub fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D], dtype: DType) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, Shape::from(shape), dtype)
}

/// Element types of launch arguments.
pub fn elements<const N: usize>(tensors: [&CubeTensor; N]) -> [ElemType; N] {
    tensors.map(|tensor| dtype_to_storage_type(tensor.dtype))
}

/// The least address width that can index all elements of the tensors.
pub fn addresses(tensors: &[&CubeTensor]) -> AddressType {
    tensors
        .iter()
        .map(|tensor| tensor.required_address_type())
        .max()
        .unwrap_or_default()
}

/// The vector width at which the device reads rows of `width` of all the tensors.
pub fn vector_size(width: usize, tensors: &[&CubeTensor]) -> VectorSize {
    let client = &tensors[0].client;
    let largest = tensors.iter().map(|tensor| tensor.elem_size()).max();
    client
        .io_optimized_vector_sizes(largest.unwrap_or(size_of::<f32>()))
        .find(|size| width.is_multiple_of(*size))
        .unwrap_or(1)
}

/// Of `count` items, the number whose loads a unit has in flight: a power of two that divides `count`.
pub fn at_once(count: usize) -> usize {
    (1 << count.trailing_zeros().min(AT_ONCE.ilog2())) as usize
}

/// Dimension of a cube whose units cooperate: a power of two, at most `wanted` and the device's limit.
pub fn together(client: &Client, wanted: u32) -> CubeDim {
    let most = client.properties().hardware.max_units_per_cube;
    CubeDim::new_1d(1 << wanted.min(most).min(UNITS).max(1).ilog2())
}

/// One cube for each of `count`.
pub fn cubes(client: &Client, count: usize) -> CubeCount {
    cubecl::calculate_cube_count_elemwise(client, count, CubeDim::new_single())
}

/// Cubes and units for `count` independent items.
pub fn independent(client: &Client, count: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(client, count);
    (
        cubecl::calculate_cube_count_elemwise(client, count, dim),
        dim,
    )
}
