//! Stable sort of entries by row, on the device.
//!
//! A radix sort of [`BITS`] at a time. Each worker counts the digits of a run of entries; one cube turns all counts into
//! first positions; each worker then moves its entries there in order. No two units write to one position and no
//! operation is atomic, so the result is the same every time.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::launch::{addresses, elements, empty, independent, together};

/// Bits of a digit.
const BITS: usize = 4;

/// Digits.
const BINS: usize = 1 << BITS;

/// Selects a digit.
const MASK: u32 = BINS as u32 - 1;

/// Entries of a worker's run, unless that would take more than [`WORKERS`].
const RUN: usize = 64;

/// Most workers.
const WORKERS: usize = 1 << 14;

/// Units that turn counts into positions.
const SUMMERS: u32 = 256;

/// Entries in the order of their rows, `[entries]` each.
pub struct Sorted {
    /// The row of each entry.
    pub rows: CubeTensor,
    /// The number of each entry before the sort.
    pub entries: CubeTensor,
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn begin_kernel<I: Int>(
    ids: &Tensor<I>,
    rows: &mut Tensor<u32>,
    entries: &mut Tensor<u32>,
    total: usize,
    #[define(I)] _element: ElemType,
) {
    if ABSOLUTE_POS >= total {
        terminate!();
    }
    rows[ABSOLUTE_POS] = u32::cast_from(ids[ABSOLUTE_POS]);
    entries[ABSOLUTE_POS] = ABSOLUTE_POS as u32;
}

/// Counts, `[BINS, workers]`.
#[cube(launch_unchecked, address_type = "dynamic")]
fn count_kernel(
    rows: &Tensor<u32>,
    counts: &mut Tensor<u32>,
    total: usize,
    run: usize,
    workers: usize,
    shift: u32,
) {
    let worker = ABSOLUTE_POS;
    if worker >= workers {
        terminate!();
    }
    let mut found = Array::<u32>::new(BINS);
    #[unroll]
    for bin in 0..BINS {
        found[bin] = 0u32;
    }
    for entry in worker * run..usize::min(worker * run + run, total) {
        let digit = ((rows[entry] >> shift) & MASK) as usize;
        found[digit] += 1u32;
    }
    #[unroll]
    for bin in 0..BINS {
        counts[bin * workers + worker] = found[bin];
    }
}

/// Each count becomes the sum of those before it. One cube.
#[cube(launch_unchecked, address_type = "dynamic")]
fn sum_before_kernel(
    counts: &mut Tensor<u32>,
    total: usize,
    share: usize,
    #[comptime] units: usize,
) {
    let unit = UNIT_POS as usize;
    let mut shares = Shared::<[u32]>::new_slice(units);
    let first = usize::min(unit * share, total);
    let last = usize::min(first + share, total);
    let mut sum = 0u32;
    for position in first..last {
        sum += counts[position];
    }
    shares[unit] = sum;
    sync_cube();
    let mut before = 0u32;
    for other in 0..unit {
        before += shares[other];
    }
    for position in first..last {
        let count = counts[position];
        counts[position] = before;
        before += count;
    }
}

#[cube(launch_unchecked, address_type = "dynamic")]
fn move_kernel(
    rows: &Tensor<u32>,
    entries: &Tensor<u32>,
    positions: &Tensor<u32>,
    out_rows: &mut Tensor<u32>,
    out_entries: &mut Tensor<u32>,
    total: usize,
    run: usize,
    workers: usize,
    shift: u32,
) {
    let worker = ABSOLUTE_POS;
    if worker >= workers {
        terminate!();
    }
    let mut next = Array::<u32>::new(BINS);
    #[unroll]
    for bin in 0..BINS {
        next[bin] = positions[bin * workers + worker];
    }
    for entry in worker * run..usize::min(worker * run + run, total) {
        let row = rows[entry];
        let digit = ((row >> shift) & MASK) as usize;
        let position = next[digit];
        next[digit] = position + 1u32;
        out_rows[position as usize] = row;
        out_entries[position as usize] = entries[entry];
    }
}

/// Sorts entries by their `ids`, rows of a table of `rows`.
pub fn by_row(ids: CubeTensor, rows: usize) -> Sorted {
    let ids = into_contiguous(ids);
    let total = ids.shape().num_elements();
    let fresh = || empty(&ids, [total], DType::U32);
    let (mut sorted, mut other) = (
        Sorted {
            rows: fresh(),
            entries: fresh(),
        },
        Sorted {
            rows: fresh(),
            entries: fresh(),
        },
    );
    let workers = total.div_ceil(RUN).clamp(1, WORKERS);
    let run = total.div_ceil(workers);
    let counts = empty(&ids, [BINS * workers], DType::U32);
    let client = ids.client.clone();
    let address = addresses(&[&ids, &sorted.rows, &counts]);
    let (count, dim) = independent(&client, total);
    let [element] = elements([&ids]);
    // SAFETY: here and below every index follows from the shapes; a position is the number of entries before one.
    unsafe {
        begin_kernel::launch_unchecked(
            &client,
            count,
            dim,
            address,
            ids.into_tensor_arg(),
            sorted.rows.clone().into_tensor_arg(),
            sorted.entries.clone().into_tensor_arg(),
            total,
            element,
        );
    }
    let bits = usize::BITS - rows.saturating_sub(1).leading_zeros();
    for shift in (0..bits).step_by(BITS) {
        let (count, dim) = independent(&client, workers);
        let summers = together(&client, SUMMERS);
        let units = summers.num_elems() as usize;
        unsafe {
            count_kernel::launch_unchecked(
                &client,
                count.clone(),
                dim,
                address,
                sorted.rows.clone().into_tensor_arg(),
                counts.clone().into_tensor_arg(),
                total,
                run,
                workers,
                shift,
            );
            sum_before_kernel::launch_unchecked(
                &client,
                CubeCount::new_single(),
                summers,
                address,
                counts.clone().into_tensor_arg(),
                BINS * workers,
                (BINS * workers).div_ceil(units),
                units,
            );
            move_kernel::launch_unchecked(
                &client,
                count,
                dim,
                address,
                sorted.rows.clone().into_tensor_arg(),
                sorted.entries.clone().into_tensor_arg(),
                counts.clone().into_tensor_arg(),
                other.rows.clone().into_tensor_arg(),
                other.entries.clone().into_tensor_arg(),
                total,
                run,
                workers,
                shift,
            );
        }
        std::mem::swap(&mut sorted, &mut other);
    }
    sorted
}
