//! What every launch needs: rows laid out in memory, vectors as wide as the device reads, addresses as wide as its
//! tensors.

use burn::backend::cubecl::dtype_to_storage_type;
use burn::tensor::{DType, Shape};
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::tensor::CubeTensor;
use cubecl::client::Client;
use cubecl::ir::{AddressType, ElemType, VectorSize};
use cubecl::prelude::{CubeCount, CubeDim};

/// Units that share one piece of work at most.
const UNITS: u32 = 256;

/// Vectors whose loads are in flight at once.
const AT_ONCE: usize = 4;

/// `tensor`, contiguous and with nobody else looking at it: what a kernel may write to.
pub fn exclusive(tensor: CubeTensor) -> CubeTensor {
    let tensor = into_contiguous(tensor);
    match tensor.can_mut() {
        true => tensor,
        false => tensor.copy(),
    }
}

/// An uninitialised tensor beside another.
pub fn empty<const D: usize>(like: &CubeTensor, shape: [usize; D], dtype: DType) -> CubeTensor {
    let (client, device) = (like.client.clone(), like.device.clone());
    empty_device_contiguous_dtype(client, device, Shape::from(shape), dtype)
}

/// Element types, as launches take them.
pub fn elements<const N: usize>(tensors: [&CubeTensor; N]) -> [ElemType; N] {
    tensors.map(|tensor| dtype_to_storage_type(tensor.dtype))
}

/// The address width that reaches every element of all of these.
pub fn addresses(tensors: &[&CubeTensor]) -> AddressType {
    tensors
        .iter()
        .map(|tensor| tensor.required_address_type())
        .max()
        .unwrap_or_default()
}

/// Elements read at once from rows of `width`, in all of these.
pub fn vector_size(width: usize, tensors: &[&CubeTensor]) -> VectorSize {
    let client = &tensors[0].client;
    let largest = tensors.iter().map(|tensor| tensor.elem_size()).max();
    client
        .io_optimized_vector_sizes(largest.unwrap_or(size_of::<f32>()))
        .find(|size| width.is_multiple_of(*size))
        .unwrap_or(1)
}

/// How many of `count` a unit works on side by side: a power of two that divides it.
pub fn at_once(count: usize) -> usize {
    (1 << count.trailing_zeros().min(AT_ONCE.ilog2())) as usize
}

/// The units of a cube whose units work together: a power of two, at most `wanted` and what the device has.
pub fn together(client: &Client, wanted: u32) -> CubeDim {
    let most = client.properties().hardware.max_units_per_cube;
    CubeDim::new_1d(1 << wanted.min(most).min(UNITS).max(1).ilog2())
}

/// One cube for each of `count`.
pub fn cubes(client: &Client, count: usize) -> CubeCount {
    cubecl::calculate_cube_count_elemwise(client, count, CubeDim::new_single())
}

/// Units for `count` independent pieces of work, and cubes of them.
pub fn independent(client: &Client, count: usize) -> (CubeCount, CubeDim) {
    let dim = CubeDim::new(client, count);
    (
        cubecl::calculate_cube_count_elemwise(client, count, dim),
        dim,
    )
}
