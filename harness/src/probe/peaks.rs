//! What the device can do at most: the fastest matrix product, and the fastest sequential pass over memory.

use std::hint::black_box;
use std::time::{Duration, Instant};

use architectures::kernels::fused::weight_product;
use burn::tensor::{Device, Distribution, Tensor};
use multiversion::multiversion;
use rayon::prelude::*;

use experiment::memory_need::Bytes;

/// Measured on one device in one session.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Peaks {
    /// FLOPs per second of the fastest matrix product.
    pub flop_per_s: f64,
    /// Bytes per second of a sequential read (CPU), or read and written by an elementwise operation.
    pub bytes_per_s: f64,
}

/// Each shape and each read is repeated for so long.
const PATIENCE: Duration = Duration::from_millis(400);

/// Products `[rows, inputs] [inputs, outputs]`: those of small and large blocks, then cubes.
const PRODUCTS: [[usize; 3]; 6] = [
    [512, 1024, 4096],
    [512, 4096, 4096],
    [1024, 1024, 1024],
    [2048, 2048, 2048],
    [4096, 4096, 4096],
    [8192, 8192, 8192],
];

/// A product that is expected to take longer is left out: nothing near the peak is learnt from waiting.
const LONGEST: f64 = 0.5;

/// What is read: beyond any cache.
const READ: Bytes = 1 << 30;

/// Values that a thread reads at once.
const CHUNK: usize = 1 << 16;

impl Peaks {
    /// Measures `device`, with buffers of at most a quarter of `usable`.
    pub fn measure(device: &Device, usable: Bytes) -> Self {
        let values = (READ.min(usable / 4) / size_of::<f32>() as Bytes).max(1 << 16) as usize;
        Self {
            flop_per_s: products(device),
            bytes_per_s: match *device == Device::flex() {
                true => read(values),
                false => copy(device, values),
            },
        }
    }
}

/// Best FLOP/s over the products, by the operation that blocks use.
fn products(device: &Device) -> f64 {
    let mut best = 0f64;
    for [rows, inputs, outputs] in PRODUCTS {
        let flops = 2.0 * (rows * inputs * outputs) as f64;
        if best > 0.0 && flops / best > LONGEST {
            continue;
        }
        let random = |shape| Tensor::<2>::random(shape, Distribution::Default, device);
        let (x, weight) = (random([rows, inputs]), random([inputs, outputs]));
        let seconds = quickest(device, || {
            black_box(weight_product(x.clone(), weight.clone()));
        });
        best = best.max(flops / seconds);
    }
    best
}

/// Bytes per second of a sum over an array on all threads.
fn read(values: usize) -> f64 {
    let mut array = vec![0f32; values];
    // Pages exist once they are written.
    array.par_chunks_mut(CHUNK).for_each(|part| part.fill(1.0));
    let seconds = quickest(&Device::flex(), || {
        black_box(array.par_chunks(CHUNK).map(sum).sum::<f32>());
    });
    (values * size_of::<f32>()) as f64 / seconds
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn sum(values: &[f32]) -> f32 {
    // Several streams keep more of the memory busy, and several sums hide the latency of an addition.
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
    let seconds = quickest(device, || {
        black_box(x.clone().mul_scalar(2.0));
    });
    (2 * values * size_of::<f32>()) as f64 / seconds
}

/// Seconds of the quickest of several runs, after one that may compile: whatever else the machine does can only slow
/// them.
fn quickest(device: &Device, mut work: impl FnMut()) -> f64 {
    let mut timed = || {
        let clock = Instant::now();
        work();
        sync(device);
        clock.elapsed().as_secs_f64()
    };
    timed();
    let begun = Instant::now();
    let mut best = timed();
    while begun.elapsed() < PATIENCE {
        best = best.min(timed());
    }
    best
}

/// Waits for the device.
///
/// # Panics
/// When a kernel failed.
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
        let peaks = Peaks::measure(&Device::flex(), 64 << 20);
        assert!(
            peaks.flop_per_s > 1e8 && peaks.flop_per_s < 1e15,
            "{peaks:?}"
        );
        assert!(
            peaks.bytes_per_s > 1e8 && peaks.bytes_per_s < 1e14,
            "{peaks:?}"
        );
    }

    #[test]
    fn a_sum_reads_every_value() {
        assert_eq!(sum(&vec![1.0; CHUNK]), CHUNK as f32);
    }
}
