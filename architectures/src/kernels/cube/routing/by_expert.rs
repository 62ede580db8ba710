//! Assignments stably sorted by expert, and where those of each expert and token begin.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use crate::kernels::cube::launch::{addresses, elements, empty, independent};
use crate::kernels::cube::sort::{Sorted, by_row};
use crate::kernels::routes::Routes;

/// The expert of each pair.
#[cube(launch_unchecked, address_type = "dynamic")]
fn experts_kernel<P: Int>(
    pairs: &Tensor<P>,
    experts: &mut Tensor<u32>,
    n_experts: usize,
    total: usize,
    #[define(P)] _element: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    let pair = usize::cast_from(pairs[ABSOLUTE_POS]);
    experts[ABSOLUTE_POS] = (pair % n_experts) as u32;
}

/// What follows from the assignment of each row.
#[cube(launch_unchecked, address_type = "dynamic")]
fn rows_kernel<I: Int>(
    pairs: &Tensor<I>,
    of_rows: &Tensor<u32>,
    source_tokens: &mut Tensor<I>,
    assignments: &mut Tensor<I>,
    rows: &mut Tensor<I>,
    n_experts: usize,
    total: usize,
    #[define(I)] _element: ElemType,
) {
    let row = ABSOLUTE_POS;
    if row >= total {
        terminate!();
    }
    let assignment = of_rows[row] as usize;
    assignments[row] = I::cast_from(assignment);
    rows[assignment] = I::cast_from(row);
    source_tokens[row] = I::cast_from(usize::cast_from(pairs[assignment]) / n_experts);
}

/// For each number below `count` the position of the first key, divided by `divisor`, that is not below it; keys ascend.
#[cube(launch_unchecked, address_type = "dynamic")]
fn offsets_kernel<K: Int, I: Int>(
    keys: &Tensor<K>,
    offsets: &mut Tensor<I>,
    divisor: usize,
    total: usize,
    count: usize,
    #[define(K, I)] _elements: [ElemType; 2],
) {
    let number = ABSOLUTE_POS;
    if number >= count {
        terminate!();
    }
    let mut first = 0usize;
    let mut last = total;
    while first < last {
        let middle = (first + last) / 2;
        if usize::cast_from(keys[middle]) / divisor < number {
            first = middle + 1;
        } else {
            last = middle;
        }
    }
    offsets[number] = I::cast_from(first);
}

/// The expert of each of `pairs [total]`.
pub fn experts_of(pairs: &CubeTensor, n_experts: usize) -> CubeTensor {
    let total = pairs.shape().num_elements();
    let experts = empty(pairs, [total], DType::U32);
    let client = experts.client.clone();
    let (count, dim) = independent(&client, total);
    let [element] = elements([pairs]);
    // SAFETY: every index follows from the shapes.
    unsafe {
        experts_kernel::launch_unchecked(
            &client,
            count,
            dim,
            addresses(&[pairs]),
            pairs.clone().into_tensor_arg(),
            experts.clone().into_tensor_arg(),
            n_experts,
            total,
            element,
        );
    }
    experts
}

/// [`crate::kernels::routing::RoutingOps::sort_by_expert`].
pub fn sort_by_expert(pairs: CubeTensor, tokens: usize, n_experts: usize) -> Routes<CubeBackend> {
    let pairs = into_contiguous(pairs);
    let total = pairs.shape().num_elements();
    let Sorted {
        rows: experts,
        entries,
    } = by_row(experts_of(&pairs, n_experts), n_experts);
    let [source_tokens, assignments, rows] =
        std::array::from_fn(|_| empty(&pairs, [total], pairs.dtype));
    let client = pairs.client.clone();
    let (count, dim) = independent(&client, total);
    let [element] = elements([&pairs]);
    // SAFETY: each assignment is once among the entries; other indices follow from the shapes.
    unsafe {
        rows_kernel::launch_unchecked(
            &client,
            count,
            dim,
            addresses(&[&pairs]),
            pairs.clone().into_tensor_arg(),
            entries.into_tensor_arg(),
            source_tokens.clone().into_tensor_arg(),
            assignments.clone().into_tensor_arg(),
            rows.clone().into_tensor_arg(),
            n_experts,
            total,
            element,
        );
    }
    let integers = pairs.dtype;
    Routes {
        source_tokens,
        assignments,
        rows,
        expert_offsets: offsets(experts, 1, n_experts + 1, integers),
        token_offsets: offsets(pairs, n_experts, tokens + 1, integers),
    }
}

/// For each number below `count` the position of the first of the ascending `keys`, divided by `divisor`, that is not below it.
fn offsets(keys: CubeTensor, divisor: usize, count: usize, integers: DType) -> CubeTensor {
    let total = keys.shape().num_elements();
    let offsets = empty(&keys, [count], integers);
    let client = offsets.client.clone();
    let (cubes, dim) = independent(&client, count);
    let address = addresses(&[&keys, &offsets]);
    let elements = elements([&keys, &offsets]);
    // SAFETY: every index follows from the shapes.
    unsafe {
        offsets_kernel::launch_unchecked(
            &client,
            cubes,
            dim,
            address,
            keys.into_tensor_arg(),
            offsets.clone().into_tensor_arg(),
            divisor,
            total,
            count,
            elements,
        );
    }
    offsets
}
