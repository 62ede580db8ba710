//! The machine's limit for reads of random table rows: what a bag reads and nothing else.
//!
//! All threads read the same rows of a table as a bag of that shape. The ids are known beforehand, so that no address depends on
//! a value that was read; the words are combined by exclusive or, so that no read can be left out. Rows that exceed the registers
//! of a bag are read in pieces, column by column of a block of lookups, if that is faster.

use std::hint::black_box;

use memmap2::{Advice, MmapMut};
use multiversion::multiversion;
use rand::Rng;
use random::stream;
use rayon::prelude::*;

use crate::times::time;

/// Shape of the table and number of rows that are read.
#[derive(Clone, Copy)]
pub struct RandomRowsShape {
    /// Rows of the table.
    pub rows: usize,
    /// Values in f32 of a row, a multiple of 64.
    pub width: usize,
    /// Rows that are read, as tokens and lookups of a token.
    pub lookups: [usize; 2],
}

impl RandomRowsShape {
    /// Bytes that are read.
    pub fn bytes(&self) -> usize {
        self.lookups[0] * self.lookups[1] * self.width * size_of::<f32>()
    }
}

/// How rows are read.
#[derive(Clone, Copy)]
struct Method {
    /// Values of a row that are read together: 64, 128 or 256.
    piece: usize,
    /// Values that are requested before they are read.
    ahead: usize,
}

/// A table on the pages that were faster, and random ids of its rows.
pub struct RandomRows {
    shape: RandomRowsShape,
    table: MmapMut,
    ids: Vec<u32>,
}

/// Tokens of a task.
const TOKENS: usize = 32;

impl RandomRows {
    /// A table of the shape on huge or on small pages, whichever is faster.
    ///
    /// # Errors
    /// If the system does not allocate the table.
    pub fn new(shape: RandomRowsShape) -> std::io::Result<Self> {
        let mut rng = stream(0, "random rows", shape.rows as u64);
        let count = shape.lookups[0] * shape.lookups[1];
        let ids: Vec<u32> = (0..count)
            .map(|_| rng.random_range(0..shape.rows as u32))
            .collect();
        // One table at a time: the larger ones take gigabytes.
        let mut seconds = Vec::new();
        for huge in [true, false] {
            let rows = Self::on_pages(shape, ids.clone(), huge)?;
            rows.seconds();
            seconds.push(rows.seconds());
        }
        Self::on_pages(shape, ids, seconds[0] <= seconds[1])
    }

    fn on_pages(shape: RandomRowsShape, ids: Vec<u32>, huge: bool) -> std::io::Result<Self> {
        let mut table = MmapMut::map_anon(shape.rows * shape.width * size_of::<f32>())?;
        #[cfg(target_os = "linux")]
        table.advise(match huge {
            true => Advice::HugePage,
            false => Advice::NoHugePage,
        })?;
        // Pages exist once they are written.
        let words = bytemuck::cast_slice_mut::<u8, u32>(&mut table);
        words.par_chunks_mut(1 << 16).for_each(|part| part.fill(1));
        Ok(Self { shape, table, ids })
    }

    /// Bytes per second by the fastest method.
    pub fn rate(&self) -> f64 {
        self.shape.bytes() as f64 / self.seconds()
    }

    fn seconds(&self) -> f64 {
        let methods = [64, 128, 256].into_iter().flat_map(|piece| {
            [2048, 4096, 8192]
                .into_iter()
                .map(move |ahead| Method { piece, ahead })
        });
        // Smaller parts were not faster at any width.
        let usable = |method: &Method| {
            self.shape.width.is_multiple_of(method.piece)
                && (method.piece == 256 || 2 * method.piece >= self.shape.width)
        };
        methods
            .filter(usable)
            .flat_map(|method| time(&mut || _ = black_box(self.read(method)), 2))
            .fold(f64::INFINITY, f64::min)
    }

    fn read(&self, method: Method) -> u32 {
        let table = bytemuck::cast_slice(&self.table);
        let per_token = self.shape.lookups[1];
        let read = |ids: &[u32]| {
            let read = match method.piece {
                64 => read_64,
                128 => read_128,
                _ => read_256,
            };
            let blocks = [self.shape.width, per_token, method.ahead];
            read(table, ids, blocks)
        };
        let tasks = self.ids.par_chunks(TOKENS * per_token);
        tasks.map(read).reduce(|| 0, |a, b| a ^ b)
    }
}

macro_rules! read {
    ($name:ident, $piece:literal) => {
        #[multiversion(targets("x86_64+avx512f+avx512vl+avx2+fma", "x86_64+avx2+fma"))]
        fn $name(table: &[u32], ids: &[u32], blocks: [usize; 3]) -> u32 {
            read::<$piece>(table, ids, blocks)
        }
    };
}

read!(read_64, 64);
read!(read_128, 128);
read!(read_256, 256);

/// Reads the rows `ids` of a table of `width` columns in blocks of `per_token`, `PIECE` columns at a time.
#[inline(always)]
fn read<const PIECE: usize>(
    table: &[u32],
    ids: &[u32],
    [width, per_token, ahead]: [usize; 3],
) -> u32 {
    const LANES: usize = 64;
    let mut words = [0u32; LANES];
    let ahead = ahead / PIECE;
    for first in (0..ids.len()).step_by(per_token) {
        for column in (0..width).step_by(PIECE) {
            // A block's last row is followed by its next piece, its last piece by the next block.
            let (next, next_column) = match column + PIECE {
                next if next < width => (first, next),
                _ => (first + per_token, 0),
            };
            for j in 0..per_token {
                let (soon, soon_column) = match j + ahead {
                    soon if soon < per_token => (first + soon, column),
                    soon => (next + soon - per_token, next_column),
                };
                if let Some(&id) = ids.get(soon) {
                    prefetch::<PIECE>(table, id as usize * width + soon_column);
                }
                let row = &table[ids[first + j] as usize * width + column..][..PIECE];
                for part in row.chunks_exact(LANES) {
                    for lane in 0..LANES {
                        words[lane] ^= part[lane];
                    }
                }
            }
        }
    }
    words.iter().fold(0, |a, b| a ^ b)
}

#[inline(always)]
fn prefetch<const PIECE: usize>(table: &[u32], start: usize) {
    #[cfg(target_arch = "x86_64")]
    if let Some(values) = table.get(start..start + PIECE) {
        for line in values.chunks_exact(16) {
            use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a prefetch of an address inside a live slice affects the cache only.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = (table, start);
}
