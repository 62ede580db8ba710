//! Products of submatrices on one thread or in tiles on all threads: by the `gemm` crate, or with `portable-math` by
//! [`super::fma_product`].

use rayon::prelude::*;

/// A strided matrix in memory.
#[derive(Clone, Copy)]
pub struct Matrix {
    /// The first value.
    pub start: *mut f32,
    row: isize,
    column: isize,
}

// SAFETY: tasks write to disjoint parts.
unsafe impl Send for Matrix {}
// SAFETY: tasks write to disjoint parts.
unsafe impl Sync for Matrix {}

impl Matrix {
    /// Rows of `width`, beginning `offset` into `values`, which are only read.
    pub fn read(values: &[f32], offset: usize, width: usize) -> Self {
        Self::at(values.as_ptr().cast_mut(), offset, width)
    }

    /// Rows of `width`, beginning `offset` into `values`.
    pub fn write(values: &mut [f32], offset: usize, width: usize) -> Self {
        Self::at(values.as_mut_ptr(), offset, width)
    }

    /// Rows and columns whose values are so far apart, beginning `offset` into `values`, which are only read.
    pub fn strided(values: &[f32], offset: usize, [row, column]: [isize; 2]) -> Self {
        Self {
            start: values.as_ptr().cast_mut().wrapping_add(offset),
            row,
            column,
        }
    }

    /// Rows of `width` in the reserved memory of an empty vector, whose values may be written and not read.
    pub fn reserved(values: &mut Vec<f32>, width: usize) -> Self {
        Self::at(values.as_mut_ptr(), 0, width)
    }

    fn at(values: *mut f32, offset: usize, width: usize) -> Self {
        Self {
            start: values.wrapping_add(offset),
            row: width as isize,
            column: 1,
        }
    }

    /// The matrix from `row` on.
    pub fn rows_from(self, row: usize) -> Self {
        Self {
            start: self.start.wrapping_offset(row as isize * self.row),
            ..self
        }
    }

    /// The matrix from `column` on.
    pub fn columns_from(self, column: usize) -> Self {
        Self {
            start: self.start.wrapping_offset(column as isize * self.column),
            ..self
        }
    }

    /// Whether a row begins one number after the one before it.
    #[cfg(any(test, feature = "portable-math"))]
    pub fn rows_are_adjacent(self) -> bool {
        self.row == 1
    }

    /// The transpose.
    pub fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }
}

/// Most rows of a tile: from the fastest on one thread, which packs its operands least often, to the least that is worth
/// a task.
const TILE_ROWS: [usize; 3] = [512, 256, 128];

/// Most columns of a tile.
const TILE_COLUMNS: usize = 768;

/// Tiles that the products of one operation should have in total, where they are large enough.
pub const TILES: usize = 8;

/// `out = left right`, `[m, k] x [k, n]`, in `wanted` tiles or more on all threads. Tiles, and
/// therefore the order of sums, depend on the shape and `wanted` alone.
pub fn tiled_matmul(
    out: Matrix,
    left: Matrix,
    right: Matrix,
    (m, k, n): (usize, usize, usize),
    wanted: usize,
) {
    let tiles = tiles(m, n, wanted);
    tiles.into_par_iter().for_each(|(rows, columns)| {
        let (left, right) = (left.rows_from(rows.0), right.columns_from(columns.0));
        let out = out.rows_from(rows.0).columns_from(columns.0);
        matmul(out, false, left, right, (rows.1, k, columns.1), 1.0);
    });
}

/// `out[b] = left[b] right[b]`, `[batch, m, k] x [batch, k, n]`, on all threads.
#[cfg(feature = "portable-math")]
pub fn batched_matmul(
    out: &mut [f32],
    left: &[f32],
    right: &[f32],
    (batch, m, k, n): (usize, usize, usize, usize),
) {
    let out = Matrix::write(out, 0, n);
    (0..batch).into_par_iter().for_each(|b| {
        let (left, right) = (
            Matrix::read(left, b * m * k, k),
            Matrix::read(right, b * k * n, n),
        );
        matmul(out.rows_from(b * m), false, left, right, (m, k, n), 1.0);
    });
}

/// Start and length of the rows and columns of each tile of `[m, n]`.
fn tiles(m: usize, n: usize, wanted: usize) -> Vec<((usize, usize), (usize, usize))> {
    let columns = pieces(n, TILE_COLUMNS);
    let enough = |most: &usize| m.div_ceil(*most) * columns.len() >= wanted;
    let [.., least] = TILE_ROWS;
    let rows = pieces(m, TILE_ROWS.into_iter().find(enough).unwrap_or(least));
    rows.iter()
        .flat_map(|&rows| columns.iter().map(move |&columns| (rows, columns)))
        .collect()
}

/// Start and length of equal parts of `len`, none longer than `most`.
fn pieces(len: usize, most: usize) -> Vec<(usize, usize)> {
    let size = len.div_ceil(len.div_ceil(most).max(1)).max(1);
    (0..len)
        .step_by(size)
        .map(|start| (start, size.min(len - start)))
        .collect()
}

/// `out (+)= factor left right`, `[m, k] x [k, n]`, on this thread.
pub fn matmul(
    out: Matrix,
    add: bool,
    left: Matrix,
    right: Matrix,
    (m, k, n): (usize, usize, usize),
    factor: f32,
) {
    #[cfg(feature = "portable-math")]
    // SAFETY: callers pass matrices that hold these sizes and an `out` that nothing else reads or writes.
    unsafe {
        super::fma_product::fma_product(out, add, left, right, (m, k, n), factor);
    }
    #[cfg(not(feature = "portable-math"))]
    // SAFETY: callers pass matrices that hold these sizes and an `out` that nothing else reads or writes.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.start,
            out.column,
            out.row,
            add,
            left.start,
            left.column,
            left.row,
            right.start,
            right.column,
            right.row,
            1.0,
            factor,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
