//! Matrix products on one thread, by the `gemm` crate, over matrices that lie in larger ones.

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
