//! The five types of fields of a row, and their conversion to and from Polars columns.
//!
//! NaN is a value (a loss that diverged) and is kept; null means "not measured" and is valid only in `Option` columns, so
//! that a missing value cannot become a zero.

use polars::prelude::*;

use crate::FrameError;

/// A type of a field of a row.
pub trait ColumnType: Sized {
    /// Type of the column in frames and files.
    const DTYPE: DataType;

    /// A column of these values.
    fn column(name: &'static str, values: Vec<Self>) -> Column;

    /// The values of column `name`, one per row of `frame`.
    fn read(frame: &DataFrame, name: &'static str) -> Result<Vec<Self>, FrameError>;
}

fn find<'a>(
    frame: &'a DataFrame,
    name: &'static str,
    expected: DataType,
) -> Result<&'a Column, FrameError> {
    let column = frame
        .column(name)
        .map_err(|_| FrameError::Missing { column: name })?;
    if *column.dtype() == expected {
        Ok(column)
    } else {
        Err(FrameError::Type {
            column: name,
            expected: expected.to_string(),
            found: column.dtype().to_string(),
        })
    }
}

/// Implements [`ColumnType`] for a required type: a null is an error that names its row.
macro_rules! required {
    ($type:ty, $dtype:ident, $access:ident) => {
        impl ColumnType for $type {
            const DTYPE: DataType = DataType::$dtype;

            fn column(name: &'static str, values: Vec<Self>) -> Column {
                Column::new(name.into(), values)
            }

            fn read(frame: &DataFrame, name: &'static str) -> Result<Vec<Self>, FrameError> {
                find(frame, name, Self::DTYPE)?
                    .$access()
                    .map_err(FrameError::Shape)?
                    .iter()
                    .enumerate()
                    .map(|(row, value)| {
                        let missing = FrameError::Null { column: name, row };
                        value.map(Into::into).ok_or(missing)
                    })
                    .collect()
            }
        }
    };
}

required!(String, String, str);
required!(u64, UInt64, u64);
required!(f64, Float64, f64);
required!(bool, Boolean, bool);

impl ColumnType for Option<f64> {
    const DTYPE: DataType = DataType::Float64;

    fn column(name: &'static str, values: Vec<Self>) -> Column {
        Column::new(name.into(), values)
    }

    fn read(frame: &DataFrame, name: &'static str) -> Result<Vec<Self>, FrameError> {
        let column = find(frame, name, Self::DTYPE)?;
        Ok(column.f64().map_err(FrameError::Shape)?.iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(column: Column) -> DataFrame {
        DataFrame::new_infer_height(vec![column]).unwrap()
    }

    #[test]
    fn null_and_nan_are_distinct() {
        let values = vec![None, Some(f64::NAN), Some(-0.0), Some(f64::INFINITY)];
        let frame = frame(ColumnType::column("x", values));
        let back = Option::<f64>::read(&frame, "x").unwrap();
        assert_eq!(back[0], None);
        assert!(back[1].unwrap().is_nan());
        assert_eq!(back[2..], [Some(-0.0), Some(f64::INFINITY)]);
    }

    #[test]
    fn a_null_in_a_required_column_is_an_error_that_names_its_row() {
        let frame = frame(ColumnType::column("loss", vec![Some(1.0), None]));
        let error = f64::read(&frame, "loss").unwrap_err();
        assert!(matches!(
            error,
            FrameError::Null {
                column: "loss",
                row: 1
            }
        ));
    }

    #[test]
    fn another_type_is_not_converted() {
        let frame = frame(ColumnType::column("steps", vec![1.0, 2.0]));
        let error = u64::read(&frame, "steps").unwrap_err().to_string();
        assert_eq!(error, "column `steps` holds f64, not u64");
    }

    #[test]
    fn integers_above_the_precision_of_f64_are_kept() {
        let big = vec![u64::MAX, (1 << 53) + 1];
        let frame = frame(ColumnType::column("n", big.clone()));
        assert_eq!(u64::read(&frame, "n").unwrap(), big);
    }
}
