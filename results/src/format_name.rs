//! The column of a number format, which older files do not have.

use std::fmt;

use polars::prelude::*;
use serde::Serialize;

use crate::FrameError;
use crate::cell::ColumnType;

/// The format in which all runs were computed before the column existed.
const BEFORE: &str = "f32";

/// Name of a number format, such as `bf16`. In files without the column it is `f32`, the only format of the programs that
/// wrote them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FormatName(String);

impl FormatName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Default for FormatName {
    fn default() -> Self {
        BEFORE.into()
    }
}

impl From<&str> for FormatName {
    fn from(name: &str) -> Self {
        Self(name.to_owned())
    }
}

impl fmt::Display for FormatName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ColumnType for FormatName {
    const DTYPE: DataType = DataType::String;

    fn column(name: &'static str, values: Vec<Self>) -> Column {
        String::column(name, values.into_iter().map(|value| value.0).collect())
    }

    fn read(frame: &DataFrame, name: &'static str) -> Result<Vec<Self>, FrameError> {
        if frame.column(name).is_err() {
            return Ok(vec![Self::default(); frame.height()]);
        }
        Ok(String::read(frame, name)?.into_iter().map(Self).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_without_the_column_are_of_f32_and_a_null_is_an_error() {
        let other = <u64 as ColumnType>::column("n", vec![1, 2]);
        let frame = DataFrame::new_infer_height(vec![other]).unwrap();
        let read = FormatName::read(&frame, "numeric_format").unwrap();
        assert_eq!(read, [FormatName::default(), FormatName::default()]);
        let names = FormatName::column("numeric_format", vec!["bf16".into(), "f32".into()]);
        let frame = DataFrame::new_infer_height(vec![names]).unwrap();
        let read = FormatName::read(&frame, "numeric_format").unwrap();
        assert_eq!(read, ["bf16".into(), FormatName::default()]);
        let null = Column::new("numeric_format".into(), vec![Some("f32"), None]);
        let frame = DataFrame::new_infer_height(vec![null]).unwrap();
        assert!(FormatName::read(&frame, "numeric_format").is_err());
    }
}
