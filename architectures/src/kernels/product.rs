//! Matrix products by the `gemm` crate over matrices that lie in larger ones, on one thread or cut into tiles for all.

use rayon::prelude::*;

/// A matrix in memory: where it starts and how far its rows and columns lie apart.
#[derive(Clone, Copy)]
pub struct Matrix {
    /// The first value.
    pub start: *mut f32,
    row: isize,
    column: isize,
}

// SAFETY: tasks write to disjoint parts.
unsafe impl Send for Matrix {}
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

    /// Rows for columns.
    pub fn transposed(self) -> Self {
        Self {
            row: self.column,
            column: self.row,
            ..self
        }
    }
}

/// Rows and columns of a tile: large enough that packing the operands is a small part of the work.
const TILE: (usize, usize) = (256, 768);

/// `out = left right`, `[m, k] x [k, n]`, tile by tile on all threads. Tiles follow from the shape alone, and so do the
/// sums.
pub fn tiled_product(out: Matrix, left: Matrix, right: Matrix, (m, k, n): (usize, usize, usize)) {
    let rows = pieces(m, if n > TILE.1 { TILE.0 } else { TILE.0 / 2 });
    let columns = pieces(n, TILE.1);
    (0..rows.len() * columns.len())
        .into_par_iter()
        .for_each(|tile| {
            let (row, m) = rows[tile / columns.len()];
            let (column, n) = columns[tile % columns.len()];
            let out = out.rows_from(row).columns_from(column);
            let (left, right) = (left.rows_from(row), right.columns_from(column));
            product(out, false, left, right, (m, k, n), 1.0);
        });
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
pub fn product(
    out: Matrix,
    add: bool,
    left: Matrix,
    right: Matrix,
    (m, k, n): (usize, usize, usize),
    factor: f32,
) {
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
