//! Matrix products with the same bits on every processor, for builds with `portable-math`.
//!
//! `out[i, j] = factor * sum_p left[i, p] right[p, j]`, where the sum starts at 0 and adds the terms in the order of
//! `p`, each by one fused multiply-add. The `gemm` crate chooses the order by the sizes of the caches and, without FMA,
//! rounds each product. Processors without FMA call the C library's `fmaf` here: equal bits, many times slower.

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{
    __m256, __m512, _mm256_fmadd_ps, _mm256_loadu_ps, _mm256_set1_ps, _mm256_storeu_ps,
    _mm512_fmadd_ps, _mm512_loadu_ps, _mm512_set1_ps, _mm512_storeu_ps,
};
use std::cell::RefCell;

use super::matmul::Matrix;

/// Most rows, columns and terms that are multiplied at once: 96 KiB of the left operand. The right one is packed for all terms.
const BLOCK: (usize, usize, usize) = (96, 256, 256);

/// Adds `sum_p left[p, i] right[p, j]` to `sums[i, j]` for packed operands of as many rows and columns as the tile has:
/// number of terms, left, right, sums, distance between rows of sums.
type TileProduct = unsafe fn(usize, *const f32, *const f32, *mut f32, usize);

/// How this processor computes a tile.
#[derive(Clone, Copy)]
struct Tile {
    rows: usize,
    columns: usize,
    product: TileProduct,
}

impl Tile {
    const SCALAR: Self = Self {
        rows: 4,
        columns: 4,
        product: tile_product::<f32, 4, 4>,
    };

    #[cfg(target_arch = "x86_64")]
    const AVX2: Self = Self {
        rows: 6,
        columns: 16,
        product: avx2,
    };

    #[cfg(target_arch = "x86_64")]
    const AVX512: Self = Self {
        rows: 12,
        columns: 32,
        product: avx512,
    };

    fn of_this_processor() -> Self {
        #[cfg(target_arch = "x86_64")]
        {
            if is_x86_feature_detected!("avx512f") {
                return Self::AVX512;
            }
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                return Self::AVX2;
            }
        }
        Self::SCALAR
    }
}

/// A vector of one processor.
trait Lanes: Copy {
    /// Numbers in a vector.
    const LEN: usize;
    /// The numbers from `from` on.
    unsafe fn load(from: *const f32) -> Self;
    /// `x` in every lane.
    unsafe fn splat(x: f32) -> Self;
    /// `self * y + z`, rounded once.
    unsafe fn fma(self, y: Self, z: Self) -> Self;
    /// Writes the numbers to `to` and what follows.
    unsafe fn store(self, to: *mut f32);
}

impl Lanes for f32 {
    const LEN: usize = 1;

    #[inline(always)]
    unsafe fn load(from: *const f32) -> Self {
        // SAFETY: as the caller promises.
        unsafe { *from }
    }

    #[inline(always)]
    unsafe fn splat(x: f32) -> Self {
        x
    }

    #[inline(always)]
    unsafe fn fma(self, y: Self, z: Self) -> Self {
        self.mul_add(y, z)
    }

    #[inline(always)]
    unsafe fn store(self, to: *mut f32) {
        // SAFETY: as the caller promises.
        unsafe { *to = self }
    }
}

#[cfg(target_arch = "x86_64")]
macro_rules! lanes {
    ($vector:ty, $len:literal, $load:ident, $splat:ident, $fma:ident, $store:ident) => {
        impl Lanes for $vector {
            const LEN: usize = $len;

            #[inline(always)]
            unsafe fn load(from: *const f32) -> Self {
                // SAFETY: as the caller promises.
                unsafe { $load(from) }
            }

            #[inline(always)]
            unsafe fn splat(x: f32) -> Self {
                // SAFETY: as the caller promises.
                unsafe { $splat(x) }
            }

            #[inline(always)]
            unsafe fn fma(self, y: Self, z: Self) -> Self {
                // SAFETY: as the caller promises.
                unsafe { $fma(self, y, z) }
            }

            #[inline(always)]
            unsafe fn store(self, to: *mut f32) {
                // SAFETY: as the caller promises.
                unsafe { $store(to, self) }
            }
        }
    };
}

#[cfg(target_arch = "x86_64")]
lanes!(
    __m256,
    8,
    _mm256_loadu_ps,
    _mm256_set1_ps,
    _mm256_fmadd_ps,
    _mm256_storeu_ps
);
#[cfg(target_arch = "x86_64")]
lanes!(
    __m512,
    16,
    _mm512_loadu_ps,
    _mm512_set1_ps,
    _mm512_fmadd_ps,
    _mm512_storeu_ps
);

/// A [`TileProduct`] of `R` rows and `C` vectors of columns.
///
/// # Safety
/// The operands hold `terms` rows of `R` and `C V::LEN` numbers, `sums` holds `R` rows at the distance `pitch`, and the
/// processor has the vector `V`.
#[inline(always)]
unsafe fn tile_product<V: Lanes, const R: usize, const C: usize>(
    terms: usize,
    left: *const f32,
    right: *const f32,
    sums: *mut f32,
    pitch: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        let mut total = [[V::splat(0.0); C]; R];
        for (i, row) in total.iter_mut().enumerate() {
            for (j, lanes) in row.iter_mut().enumerate() {
                *lanes = V::load(sums.add(i * pitch + j * V::LEN));
            }
        }
        for p in 0..terms {
            let mut y = [V::splat(0.0); C];
            for (j, lanes) in y.iter_mut().enumerate() {
                *lanes = V::load(right.add((p * C + j) * V::LEN));
            }
            for (i, row) in total.iter_mut().enumerate() {
                let x = V::splat(*left.add(p * R + i));
                for (lanes, y) in row.iter_mut().zip(y) {
                    *lanes = x.fma(y, *lanes);
                }
            }
        }
        for (i, row) in total.iter().enumerate() {
            for (j, lanes) in row.iter().enumerate() {
                lanes.store(sums.add(i * pitch + j * V::LEN));
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
unsafe fn avx2(terms: usize, left: *const f32, right: *const f32, sums: *mut f32, pitch: usize) {
    // SAFETY: as the caller promises.
    unsafe { tile_product::<__m256, 6, 2>(terms, left, right, sums, pitch) }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f")]
unsafe fn avx512(terms: usize, left: *const f32, right: *const f32, sums: *mut f32, pitch: usize) {
    // SAFETY: as the caller promises.
    unsafe { tile_product::<__m512, 12, 2>(terms, left, right, sums, pitch) }
}

thread_local! {
    /// Packed operands and sums.
    static SCRATCH: RefCell<Vec<f32>> = const { RefCell::new(Vec::new()) };
}

/// `out (+)= factor left right`, `[m, k] x [k, n]`, on this thread.
///
/// # Safety
/// The matrices hold these sizes, and nothing else reads or writes `out`.
#[cfg(feature = "portable-math")]
pub unsafe fn fma_product(
    out: Matrix,
    add: bool,
    left: Matrix,
    right: Matrix,
    sizes: (usize, usize, usize),
    factor: f32,
) {
    // SAFETY: as the caller promises.
    unsafe {
        product_by_tiles(
            Tile::of_this_processor(),
            out,
            add,
            left,
            right,
            sizes,
            factor,
        )
    }
}

unsafe fn product_by_tiles(
    tile: Tile,
    out: Matrix,
    add: bool,
    left: Matrix,
    right: Matrix,
    (m, k, n): (usize, usize, usize),
    factor: f32,
) {
    let terms = k.min(BLOCK.2);
    let rows = m.min(BLOCK.0).next_multiple_of(tile.rows);
    let columns = n.min(BLOCK.1).next_multiple_of(tile.columns);
    SCRATCH.with_borrow_mut(|scratch| {
        let needed = k * columns + rows * (terms + columns);
        if scratch.len() < needed {
            scratch.resize(needed, 0.0);
        }
        let (packed_right, rest) = scratch.split_at_mut(k * columns);
        let (packed_left, sums) = rest.split_at_mut(rows * terms);
        for first_column in (0..n).step_by(BLOCK.1) {
            let count = BLOCK.1.min(n - first_column);
            let right = right.columns_from(first_column).transposed();
            // SAFETY: the matrix holds `k` rows and `count` columns from here on.
            unsafe { pack(packed_right, right, (count, k), tile.columns) };
            let pitch = count.next_multiple_of(tile.columns);
            for first_row in (0..m).step_by(BLOCK.0) {
                let height = BLOCK.0.min(m - first_row);
                let left = left.rows_from(first_row);
                sums[..height.next_multiple_of(tile.rows) * pitch].fill(0.0);
                for first in (0..k).step_by(BLOCK.2) {
                    let terms = BLOCK.2.min(k - first);
                    let left = left.columns_from(first);
                    // SAFETY: the matrix holds `height` rows and `terms` columns from here on.
                    unsafe { pack(packed_left, left, (height, terms), tile.rows) };
                    for j in (0..count).step_by(tile.columns) {
                        let right = &packed_right[j * k + first * tile.columns..];
                        for i in (0..height).step_by(tile.rows) {
                            let left = &packed_left[i * terms..];
                            let sums = &mut sums[i * pitch + j..];
                            let (left, right) = (left.as_ptr(), right.as_ptr());
                            // SAFETY: operands and sums were packed for whole tiles of this processor.
                            unsafe { (tile.product)(terms, left, right, sums.as_mut_ptr(), pitch) };
                        }
                    }
                }
                let out = out.rows_from(first_row).columns_from(first_column);
                for (i, row) in sums.chunks_exact(pitch).take(height).enumerate() {
                    for (j, sum) in row[..count].iter().enumerate() {
                        // SAFETY: `out` holds the rows and columns of this block, and only this call writes to it.
                        unsafe {
                            let out = out.rows_from(i).columns_from(j).start;
                            *out = if add {
                                *out + factor * sum
                            } else {
                                factor * sum
                            };
                        }
                    }
                }
            }
        }
    });
}

/// Copies a matrix `[lines, terms]` into panels of `width` lines, `[lines / width, terms, width]`; missing lines are 0.
unsafe fn pack(panels: &mut [f32], matrix: Matrix, (lines, terms): (usize, usize), width: usize) {
    if terms == 0 {
        return;
    }
    for (index, panel) in panels
        .chunks_exact_mut(width * terms)
        .take(lines.div_ceil(width))
        .enumerate()
    {
        let matrix = matrix.rows_from(index * width);
        let filled = width.min(lines - index * width);
        if filled < width {
            panel.fill(0.0);
        }
        for (p, packed) in panel.chunks_exact_mut(width).enumerate() {
            let column = matrix.columns_from(p);
            if filled == width && column.rows_are_adjacent() {
                // SAFETY: `width` numbers follow each other from here on.
                let line = unsafe { std::slice::from_raw_parts(column.start, width) };
                packed.copy_from_slice(line);
                continue;
            }
            for (i, packed) in packed[..filled].iter_mut().enumerate() {
                // SAFETY: the caller promises that the matrix holds this element.
                *packed = unsafe { *column.rows_from(i).start };
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / 16_777_216.0 - 0.5
        })
        .take(count)
        .collect()
    }

    #[test]
    fn every_tile_gives_the_bits_of_the_definition() {
        let mut tiles = vec![Tile::SCALAR, Tile::of_this_processor()];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            tiles.push(Tile::AVX2);
        }
        for (m, k, n) in [
            (1, 1, 1),
            (7, 5, 33),
            (97, 300, 31),
            (13, 520, 300),
            (0, 3, 2),
            (2, 0, 3),
        ] {
            let (left, right) = (numbers(m * k, 1), numbers(k * n, 2));
            let before = numbers(m * n, 3);
            for (transposed, add, factor) in [(false, false, 1.0), (true, true, 0.3)] {
                let element = |i: usize, j: usize| {
                    let sum = (0..k).fold(0.0f32, |sum, p| {
                        let x = if transposed {
                            left[p * m + i]
                        } else {
                            left[i * k + p]
                        };
                        let y = if transposed {
                            right[j * k + p]
                        } else {
                            right[p * n + j]
                        };
                        x.mul_add(y, sum)
                    });
                    let old = if add { before[i * n + j] } else { 0.0 };
                    old + factor * sum
                };
                let expected: Vec<u32> = (0..m * n)
                    .map(|i| element(i / n, i % n).to_bits())
                    .collect();
                for tile in &tiles {
                    let mut out = before.clone();
                    let (left, right) = if transposed {
                        let left = Matrix::read(&left, 0, m).transposed();
                        (left, Matrix::read(&right, 0, k).transposed())
                    } else {
                        (Matrix::read(&left, 0, k), Matrix::read(&right, 0, n))
                    };
                    let target = Matrix::write(&mut out, 0, n);
                    // SAFETY: the matrices hold these sizes.
                    unsafe { product_by_tiles(*tile, target, add, left, right, (m, k, n), factor) };
                    let bits: Vec<u32> = out.iter().map(|x| x.to_bits()).collect();
                    assert!(
                        bits == expected,
                        "{m} {k} {n} {transposed}, {} rows",
                        tile.rows
                    );
                }
            }
        }
    }
}
