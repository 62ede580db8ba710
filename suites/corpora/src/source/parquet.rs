//! A column of texts in a Parquet file, one row group in memory at a time.

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::vec::IntoIter;

use polars::prelude::{ParallelStrategy, ParquetReader, PolarsResult, SerReader};

use super::record::{Content, Record, RecordError};
use crate::CorpusError;

/// The texts of a column.
pub struct ParquetRecords {
    path: PathBuf,
    column: String,
    /// Rows of the row groups that are not read yet.
    groups: IntoIter<usize>,
    /// Row before those of `texts`, and those that follow in the row group; `None` is null.
    row: usize,
    texts: IntoIter<Option<String>>,
}

impl ParquetRecords {
    /// The texts of `column` of the file.
    ///
    /// # Errors
    /// If the file is not accessible or no Parquet file.
    pub fn new(path: PathBuf, column: &str) -> Result<Self, CorpusError> {
        let file = File::open(&path).map_err(CorpusError::io("read", &path))?;
        let groups = guarded(|| {
            let mut reader = ParquetReader::new(file);
            let metadata = reader.get_metadata()?;
            let rows = metadata.row_groups.iter().map(|group| group.num_rows());
            Ok(rows.collect::<Vec<_>>())
        });
        let groups = groups.map_err(|problem| invalid(&path, problem))?;
        Ok(Self {
            path,
            column: column.to_owned(),
            groups: groups.into_iter(),
            row: 0,
            texts: Vec::new().into_iter(),
        })
    }

    fn read_group(&self, rows: usize) -> Result<Vec<Option<String>>, CorpusError> {
        let file = File::open(&self.path).map_err(CorpusError::io("read", &self.path))?;
        let frame = guarded(|| {
            ParquetReader::new(file)
                .with_columns(Some(vec![self.column.clone()]))
                .with_slice(Some((self.row, rows)))
                .read_parallel(ParallelStrategy::None)
                .finish()
        });
        let frame = frame.map_err(|problem| invalid(&self.path, problem))?;
        let texts = frame.column(&self.column).and_then(|column| column.str());
        let texts = texts.map_err(|_| {
            invalid(
                &self.path,
                format!("column `{}` is not of texts", self.column),
            )
        })?;
        Ok(texts.iter().map(|text| text.map(str::to_owned)).collect())
    }
}

impl Iterator for ParquetRecords {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(text) = self.texts.next() {
                self.row += 1;
                return Some(text.map(Content::Text).ok_or_else(|| {
                    RecordError::Record(CorpusError::source(
                        format!("{} row {}", self.path.display(), self.row),
                        format!("column `{}` is null", self.column),
                        "correct `text_field`, or set `skip_bad = true`",
                    ))
                }));
            }
            let rows = self.groups.next()?;
            match self.read_group(rows) {
                Ok(texts) => self.texts = texts.into_iter(),
                Err(error) => {
                    self.groups = Vec::new().into_iter();
                    return Some(Err(RecordError::File(error)));
                }
            }
        }
    }
}

/// Polars panics on some damaged pages, which must become an error. What it works on is dropped by the panic.
fn guarded<T>(read: impl FnOnce() -> PolarsResult<T>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => {
            let text = error.to_string();
            Err(text.lines().next().unwrap_or_default().to_owned())
        }
        Err(_) => Err("its pages are damaged".to_owned()),
    }
}

fn invalid(path: &std::path::Path, problem: impl Into<String>) -> CorpusError {
    let remedy = "give a Parquet file whose column `text_field` has texts";
    CorpusError::source(path.display().to_string(), problem, remedy)
}
