//! Peak rates of the device: the fastest matrix product, and the fastest sequential pass over memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

use architectures::NumericFormat;
use architectures::kernels::fused::weight_product;
use burn::tensor::{Device, Distribution, Tensor};
use multiversion::multiversion;
use rayon::prelude::*;

use experiment::memory_need::Bytes;

/// Peak rates of one device, measured in one session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peaks {
    /// FLOPs per second of the fastest matrix product, with operands and results in the format that was measured.
    pub flop_per_s: f64,
    /// Bytes per second: of a sequential read on the CPU, of reads and writes of an elementwise operation on other
    /// devices.
    pub bytes_per_s: f64,
}

/// Time for which each measurement is repeated.
const MEASUREMENT_TIME: Duration = Duration::from_millis(400);

/// Products `[rows, inputs] [inputs, outputs]`: shapes of small and large blocks, then square matrices.
const PRODUCTS: [[usize; 3]; 6] = [
    [512, 1024, 4096],
    [512, 4096, 4096],
    [1024, 1024, 1024],
    [2048, 2048, 2048],
    [4096, 4096, 4096],
    [8192, 8192, 8192],
];

/// Longest expected time of a product, in seconds; longer ones are omitted.
const LONGEST_PRODUCT_S: f64 = 0.5;

/// Bytes that are read, more than any cache has.
const READ_BYTES: Bytes = 1 << 30;

/// Values of one task of the parallel read.
const CHUNK: usize = 1 << 16;

impl Peaks {
    /// Measures `device` with products in `format` and buffers of at most a quarter of `usable` bytes.
    pub fn measure(device: &Device, format: NumericFormat, usable: Bytes) -> Self {
        let values = (READ_BYTES.min(usable / 4) / size_of::<f32>() as Bytes).max(1 << 16) as usize;
        Self {
            flop_per_s: products(device, format),
            bytes_per_s: match *device == Device::flex() {
                true => read(values),
                false => copy(device, values),
            },
        }
    }
}

/// Highest FLOP/s over [`PRODUCTS`], by the operation that blocks use.
fn products(device: &Device, format: NumericFormat) -> f64 {
    let mut best = 0f64;
    for [rows, inputs, outputs] in PRODUCTS {
        let flops = 2.0 * (rows * inputs * outputs) as f64;
        if best > 0.0 && flops / best > LONGEST_PRODUCT_S {
            continue;
        }
        let random = |shape| Tensor::<2>::random(shape, Distribution::Default, device);
        // Rounded before: the conversion is no part of the product.
        let operand = |shape| format.operand(random(shape));
        let (x, weight) = (operand([rows, inputs]), operand([inputs, outputs]));
        let seconds = fastest(device, || {
            black_box(weight_product(x.clone(), weight.clone()));
        });
        best = best.max(flops / seconds);
    }
    best
}

/// Bytes per second of a sum over an array on all threads.
fn read(values: usize) -> f64 {
    let mut array = vec![0f32; values];
    // The system allocates pages when they are first written.
    array.par_chunks_mut(CHUNK).for_each(|part| part.fill(1.0));
    let seconds = fastest(&Device::flex(), || {
        black_box(array.par_chunks(CHUNK).map(sum).sum::<f32>());
    });
    (values * size_of::<f32>()) as f64 / seconds
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn sum(values: &[f32]) -> f32 {
    // Several streams have more memory requests in flight, and several sums hide the latency of an addition.
    const STREAMS: usize = 8;
    const LANES: usize = 16;
    let part = values.len() / STREAMS / LANES * LANES;
    let mut sums = [[0f32; LANES]; STREAMS];
    for start in (0..part).step_by(LANES) {
        for (stream, sums) in sums.iter_mut().enumerate() {
            let values = &values[stream * part + start..][..LANES];
            for lane in 0..LANES {
                sums[lane] += values[lane];
            }
        }
    }
    sums.iter().flatten().sum()
}

/// Bytes per second, read and written, of an elementwise operation.
fn copy(device: &Device, values: usize) -> f64 {
    let x = Tensor::<1>::ones([values], device);
    let seconds = fastest(device, || {
        black_box(x.clone().mul_scalar(2.0));
    });
    (2 * values * size_of::<f32>()) as f64 / seconds
}

/// Seconds of the fastest of several runs of `work`, after one that may compile. The minimum is least affected by other
/// load on the machine.
fn fastest(device: &Device, mut work: impl FnMut()) -> f64 {
    let mut timed = || {
        let clock = Instant::now();
        work();
        sync(device);
        clock.elapsed().as_secs_f64()
    };
    timed();
    let begun = Instant::now();
    let mut best = timed();
    while begun.elapsed() < MEASUREMENT_TIME {
        best = best.min(timed());
    }
    best
}

/// Waits for the device.
///
/// # Panics
/// If a kernel failed.
pub fn sync(device: &Device) {
    if let Err(error) = device.sync() {
        panic!("{error}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_peaks_are_plausible() {
        let measure = |format| Peaks::measure(&Device::flex(), format, 64 << 20);
        for peaks in [NumericFormat::F32, NumericFormat::Bf16].map(measure) {
            assert!(
                peaks.flop_per_s > 1e8 && peaks.flop_per_s < 1e15,
                "{peaks:?}"
            );
            assert!(
                peaks.bytes_per_s > 1e8 && peaks.bytes_per_s < 1e14,
                "{peaks:?}"
            );
        }
    }

    #[test]
    fn a_sum_reads_every_value() {
        assert_eq!(sum(&vec![1.0; CHUNK]), CHUNK as f32);
    }
}
