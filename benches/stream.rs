//! The machine's memory limits: a read and a triad in the manner of STREAM (McCalpin 1995), on all threads of the pool.

use multiversion::multiversion;
use rayon::prelude::*;

/// Values of one array: 512 MiB, beyond any cache.
const LEN: usize = 1 << 27;

/// Bytes that one [`Stream::read`] or [`Stream::read_many`] reads.
pub const READ_BYTES: usize = LEN * size_of::<f32>();

/// Bytes that one [`Stream::triad`] reads and writes, as STREAM counts them: lines fetched to be overwritten are left out.
pub const TRIAD_BYTES: usize = 3 * READ_BYTES;

/// Values that a thread takes at once.
const CHUNK: usize = 1 << 16;

/// Three arrays.
pub struct Stream {
    a: Vec<f32>,
    b: Vec<f32>,
    c: Vec<f32>,
}

impl Stream {
    /// Arrays that have been written once, so that their pages exist.
    pub fn new() -> Self {
        let filled = |value: f32| {
            let mut array = vec![0.0; LEN];
            array
                .par_chunks_mut(CHUNK)
                .for_each(|part| part.fill(value));
            array
        };
        Self {
            a: filled(1.0),
            b: filled(2.0),
            c: filled(3.0),
        }
    }

    /// The sum of one array, one stream per thread.
    pub fn read(&self) -> f32 {
        self.a.par_chunks(CHUNK).map(sum).sum()
    }

    /// The same with several streams per thread: what the memory gives with more requests outstanding.
    pub fn read_many(&self) -> f32 {
        self.a.par_chunks(CHUNK).map(sum_many).sum()
    }

    /// `a = b + 0.5 c`.
    pub fn triad(&mut self) {
        self.a
            .par_chunks_mut(CHUNK)
            .zip(self.b.par_chunks(CHUNK))
            .zip(self.c.par_chunks(CHUNK))
            .for_each(|((a, b), c)| triad(a, b, c));
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn sum(values: &[f32]) -> f32 {
    // As many independent sums as hide the latency of an addition.
    const LANES: usize = 128;
    let mut sums = [0f32; LANES];
    for part in values.chunks_exact(LANES) {
        for lane in 0..LANES {
            sums[lane] += part[lane];
        }
    }
    sums.iter().sum()
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn sum_many(values: &[f32]) -> f32 {
    const STREAMS: usize = 8;
    const LANES: usize = 16;
    let part = values.len() / STREAMS;
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

#[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
fn triad(a: &mut [f32], b: &[f32], c: &[f32]) {
    for ((a, b), c) in a.iter_mut().zip(b).zip(c) {
        *a = b + 0.5 * c;
    }
}
