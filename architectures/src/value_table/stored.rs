//! Reading and restoring a table with its optimizer state in pieces, so that no second copy of it is in memory.

use std::ops::Range;

use burn::tensor::{Tensor, TensorData, bf16};

use super::{State, ValueTable};
use crate::kernels::table_memory::{self, TableValues};
use crate::numeric_format::NumericFormat;

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

/// Memory of a table's state, each part all rows of the columns that this process has, row by row.
pub struct TableMemory<'a> {
    /// The values.
    pub values: TableValues<'a>,
    /// Running means of gradients and of squared gradients; `None` before the first update.
    pub moments: Option<[TableValues<'a>; 2]>,
}

impl ValueTable {
    /// Number of updates so far; without any there are no moments.
    pub fn updates(&self) -> u32 {
        self.lock().updates.unsigned_abs()
    }

    /// Format of `part`; `None` if the table has no moments yet.
    pub fn format_of(&self, part: TablePart) -> Option<NumericFormat> {
        let state = self.lock();
        match (part, &state.moments) {
            (TablePart::Values, _) => Some(self.format),
            (_, Some((mean, _))) => Some(NumericFormat::of(mean.dtype())),
            (_, None) => None,
        }
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

    /// Replaces values and moments, the latter in the format `moments`, by what `fill` writes, after `updates` updates. The
    /// memory of the present state is freed first.
    ///
    /// # Errors
    /// Those of `fill`; the table is then zero.
    ///
    /// # Panics
    /// If the system cannot allocate the memory; the message names the bytes.
    pub fn restore<E>(
        &self,
        updates: u32,
        moments: NumericFormat,
        fill: impl FnOnce(TableMemory) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut state = self.lock();
        let [rows, width] = self.own_shape();
        let device = state.values.device();
        state.values = Tensor::zeros([1, 1], &device);
        state.moments = None;
        let allocate = |format| match table_memory::filled(rows, width, format, |_| {}) {
            Ok(data) => data,
            Err(error) => panic!("{error}"),
        };
        let formats = [self.format, moments, moments];
        let formats = &formats[..if updates > 0 { 3 } else { 1 }];
        let mut parts: Vec<TensorData> = formats.iter().copied().map(allocate).collect();
        let mut slices = parts.iter_mut().map(values_of);
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
        let mut tensors = parts.into_iter().map(|data| {
            let dtype = data.dtype();
            Tensor::<2>::from_data(data, (&device, dtype))
        });
        let values = tensors.next();
        let moments = tensors.next().zip(tensors.next());
        *state = State {
            values: values
                .unwrap_or_else(|| Tensor::zeros([rows, width], (&device, self.format.dtype()))),
            moments,
            updates: updates as i32,
            served: None,
        };
        filled
    }
}

/// The values of table memory.
fn values_of(data: &mut TensorData) -> TableValues<'_> {
    let values = match NumericFormat::of(data.dtype()) {
        NumericFormat::F32 => data.as_mut_slice::<f32>().map(TableValues::F32),
        NumericFormat::Bf16 => data.as_mut_slice::<bf16>().map(TableValues::Bf16),
    };
    match values {
        Ok(values) => values,
        Err(error) => panic!("table memory cannot be written: {error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{update_once, updated_table};
    use super::*;

    #[test]
    fn a_restored_table_continues_bit_for_bit() {
        use NumericFormat::{Bf16, F32};
        for formats in [[F32, F32], [Bf16, F32], [Bf16, Bf16], [F32, Bf16]] {
            let original = updated_table(3, formats);
            let copy = updated_table(0, formats);
            let [rows, width] = original.shape;
            let all = |part| original.piece(part, 0..rows, 0..width).unwrap();
            let moments = original.format_of(TablePart::Mean).unwrap();
            assert_eq!([original.format(), moments], formats);
            copy.restore(original.updates(), moments, |mut memory| {
                memory.values.write(0, &all(TablePart::Values));
                let [mut mean, mut square] = memory.moments.unwrap();
                mean.write(0, &all(TablePart::Mean));
                square.write(0, &all(TablePart::Square));
                Ok::<(), ()>(())
            })
            .unwrap();
            update_once(&original, 3, formats[1]);
            update_once(&copy, 3, formats[1]);
            for part in [TablePart::Values, TablePart::Mean, TablePart::Square] {
                assert_eq!(copy.format_of(part), original.format_of(part));
                assert_eq!(
                    original.piece(part, 1..rows, 1..3).unwrap(),
                    copy.piece(part, 1..rows, 1..3).unwrap()
                );
            }
            assert_eq!(copy.updates(), 4);
            let before = updated_table(0, formats);
            assert_eq!(before.piece(TablePart::Mean, 0..1, 0..1), None);
        }
    }
}
