//! A row type is declared once, by [`rows!`], which derives its struct, columns, order and conversions.

use std::cmp::Ordering;

use polars::prelude::DataFrame;

use crate::FrameError;

/// One line of a table: a plain struct whose fields are the table's columns.
pub trait Row: Clone + Send + Sized + serde::Serialize {
    /// The table's name: a folder of the records and the stem of its CSV file.
    const TABLE: &'static str;

    /// Name of the run that the row belongs to.
    fn run(&self) -> &str;

    /// Order by key. Of rows of equal key the later replaces the earlier.
    fn order(&self, other: &Self) -> Ordering;

    /// The rows as a frame, one column for each field.
    fn to_frame(rows: &[Self]) -> Result<DataFrame, FrameError>;

    /// The rows of a frame. Columns that are not fields of the row are ignored.
    fn from_frame(frame: &DataFrame) -> Result<Vec<Self>, FrameError>;
}

/// Sorts by key and keeps, of rows with equal keys, the one that came last.
///
/// A run that was interrupted starts again and repeats its steps, which replace those recorded before.
pub(crate) fn sort_and_deduplicate<R: Row>(mut rows: Vec<R>) -> Vec<R> {
    // A stable sort of the reversed list puts the latest of equals first, which is the one that `dedup` keeps.
    rows.reverse();
    rows.sort_by(R::order);
    rows.dedup_by(|later, first| later.order(first) == Ordering::Equal);
    rows
}

/// `"table" => Name by [key, ...] { field: Type, ... }` declares a row type with [`Row`] implemented.
macro_rules! rows {
    ($(
        $(#[$about:meta])*
        $table:literal => $name:ident by [$($key:ident),+] {
            $($(#[$says:meta])* $field:ident: $type:ty,)+
        }
    )+) => {$(
        $(#[$about])*
        #[derive(Clone, Debug, PartialEq, serde::Serialize)]
        pub struct $name {
            $($(#[$says])* pub $field: $type,)+
        }

        impl $crate::Row for $name {
            const TABLE: &'static str = $table;

            fn run(&self) -> &str {
                &self.run
            }

            fn order(&self, other: &Self) -> std::cmp::Ordering {
                std::cmp::Ordering::Equal$(.then_with(|| self.$key.cmp(&other.$key)))+
            }

            fn to_frame(rows: &[Self]) -> Result<polars::prelude::DataFrame, $crate::FrameError> {
                let columns = vec![$({
                    let values = rows.iter().map(|row| row.$field.clone()).collect();
                    <$type as $crate::ColumnType>::column(stringify!($field), values)
                },)+];
                polars::prelude::DataFrame::new(rows.len(), columns).map_err($crate::FrameError::Shape)
            }

            fn from_frame(
                frame: &polars::prelude::DataFrame,
            ) -> Result<Vec<Self>, $crate::FrameError> {
                $(let mut $field =
                    <$type as $crate::ColumnType>::read(frame, stringify!($field))?.into_iter();)+
                let mut rows = Vec::with_capacity(frame.height());
                while let ($(Some($field),)+) = ($($field.next(),)+) {
                    rows.push(Self { $($field,)+ });
                }
                Ok(rows)
            }
        }
    )+};
}

pub(crate) use rows;

#[cfg(test)]
mod tests {
    use super::*;

    rows! {
        /// A table for these tests.
        "probe" => Probe by [run, step] {
            run: String,
            step: u64,
            loss: f64,
            held_out: Option<f64>,
            whole: bool,
        }
    }

    fn probe(run: &str, step: u64, loss: f64) -> Probe {
        Probe {
            run: run.into(),
            step,
            loss,
            held_out: None,
            whole: step.is_multiple_of(2),
        }
    }

    #[test]
    fn rows_are_equal_after_a_frame() {
        let rows = vec![probe("ü", 2, 0.5), probe("", 1, f64::MIN_POSITIVE)];
        let frame = Probe::to_frame(&rows).unwrap();
        assert_eq!(frame.shape(), (2, 5));
        assert_eq!(Probe::from_frame(&frame).unwrap(), rows);
    }

    #[test]
    fn no_rows_still_have_columns() {
        let frame = Probe::to_frame(&[]).unwrap();
        assert_eq!(frame.shape(), (0, 5));
        assert_eq!(Probe::from_frame(&frame).unwrap(), []);
    }

    #[test]
    fn the_missing_column_is_named() {
        let mut frame = Probe::to_frame(&[probe("a", 1, 1.0)]).unwrap();
        frame.drop_in_place("held_out").unwrap();
        let error = Probe::from_frame(&frame).unwrap_err().to_string();
        assert_eq!(error, "column `held_out` is missing");
    }

    #[test]
    fn the_last_of_equal_keys_wins() {
        let rows = vec![probe("a", 2, 1.0), probe("a", 1, 2.0), probe("a", 2, 3.0)];
        assert_eq!(
            sort_and_deduplicate(rows),
            [probe("a", 1, 2.0), probe("a", 2, 3.0)]
        );
    }
}
