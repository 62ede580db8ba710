//! Reading and restoring a table with its optimizer state in pieces, so that no second copy of it is in memory.

use std::ops::Range;

use burn::tensor::{DType, Tensor, TensorData};

use super::{State, ValueTable};
use crate::kernels::table_memory;

/// A part of a table's state, each `[rows, width]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TablePart {
    /// The values.
    Values,
    /// Running means of gradients.
    Mean,
    /// Running means of squared gradients.
    Square,
}

/// Memory of a table's state, each slice all rows of the columns that this process has, row by row.
pub struct TableMemory<'a> {
    /// The values.
    pub values: &'a mut [f32],
    /// Running means of gradients and of squared gradients; `None` before the first update.
    pub moments: Option<[&'a mut [f32]; 2]>,
}

impl ValueTable {
    /// Number of updates so far; without any there are no moments.
    pub fn updates(&self) -> u32 {
        self.lock().updates.unsigned_abs()
    }

    /// Bytes of the values and moments that this process has.
    pub fn memory_bytes(&self) -> u64 {
        let state = self.lock();
        let moments = state
            .moments
            .iter()
            .flat_map(|(mean, square)| [mean, square]);
        let parts = [&state.values].into_iter().chain(moments);
        parts
            .map(|part| part.shape().num_elements() as u64 * part.dtype().size() as u64)
            .sum()
    }

    /// The rectangle `rows` x `columns` of `part`, row by row; `None` if the table has no moments yet.
    ///
    /// # Panics
    /// If this process does not have all of `columns`: see [`ValueTable::columns`].
    pub fn piece(
        &self,
        part: TablePart,
        rows: Range<usize>,
        columns: Range<usize>,
    ) -> Option<Vec<f32>> {
        let own = self.columns();
        assert!(
            own.start <= columns.start && columns.end <= own.end,
            "columns {columns:?} of a table are requested of a process that has {own:?}"
        );
        let columns = columns.start - own.start..columns.end - own.start;
        let state = self.lock();
        let whole = match (part, &state.moments) {
            (TablePart::Values, _) => &state.values,
            (TablePart::Mean, Some((mean, _))) => mean,
            (TablePart::Square, Some((_, square))) => square,
            _ => return None,
        };
        let piece = whole.clone().slice([rows, columns]).into_data();
        Some(piece.iter::<f32>().collect())
    }

    /// Replaces values and moments by what `fill` writes, after `updates` updates. The memory of the present state is
    /// freed first.
    ///
    /// # Errors
    /// Those of `fill`; the table is then zero.
    ///
    /// # Panics
    /// If the system cannot allocate the memory; the message names the bytes.
    pub fn restore<E>(
        &self,
        updates: u32,
        fill: impl FnOnce(TableMemory) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut state = self.lock();
        let [rows, width] = self.own_shape();
        let device = state.values.device();
        state.values = Tensor::zeros([1, 1], &device);
        state.moments = None;
        let allocate = || match table_memory::filled(rows, width, |_| {}) {
            Ok(data) => data,
            Err(error) => panic!("{error}"),
        };
        let mut parts: Vec<TensorData> = Vec::new();
        parts.resize_with(if updates > 0 { 3 } else { 1 }, allocate);
        let mut slices = parts.iter_mut().map(floats);
        let filled = match (slices.next(), slices.next(), slices.next()) {
            (Some(values), Some(mean), Some(square)) => fill(TableMemory {
                values,
                moments: Some([mean, square]),
            }),
            (Some(values), ..) => fill(TableMemory {
                values,
                moments: None,
            }),
            (None, ..) => Ok(()),
        };
        let mut tensors = parts
            .into_iter()
            .map(|data| Tensor::<2>::from_data(data, &device));
        let values = tensors.next();
        let moments = tensors.next().zip(tensors.next());
        *state = State {
            values: values.unwrap_or_else(|| Tensor::zeros([rows, width], &device)),
            moments,
            updates: updates as i32,
            served: None,
        };
        filled
    }
}

/// The values of table memory.
fn floats(data: &mut TensorData) -> &mut [f32] {
    assert_eq!(data.dtype(), DType::F32, "table memory holds f32");
    match data.as_mut_slice::<f32>() {
        Ok(values) => values,
        Err(error) => panic!("table memory cannot be written: {error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::updated_table;
    use super::*;

    #[test]
    fn a_restored_table_continues_bit_for_bit() {
        let original = updated_table(3);
        let copy = updated_table(0);
        let [rows, width] = original.shape;
        let all = |part| original.piece(part, 0..rows, 0..width).unwrap();
        copy.restore(original.updates(), |memory| {
            memory.values.copy_from_slice(&all(TablePart::Values));
            let [mean, square] = memory.moments.unwrap();
            mean.copy_from_slice(&all(TablePart::Mean));
            square.copy_from_slice(&all(TablePart::Square));
            Ok::<(), ()>(())
        })
        .unwrap();
        super::super::tests::update_once(&original, 3);
        super::super::tests::update_once(&copy, 3);
        for part in [TablePart::Values, TablePart::Mean, TablePart::Square] {
            assert_eq!(
                original.piece(part, 1..rows, 1..3).unwrap(),
                copy.piece(part, 1..rows, 1..3).unwrap()
            );
        }
        assert_eq!(copy.updates(), 4);
        assert_eq!(updated_table(0).piece(TablePart::Mean, 0..1, 0..1), None);
    }
}
