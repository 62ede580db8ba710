//! Export: one Parquet file and one CSV file of a whole table.

use std::path::Path;

use polars::prelude::{CsvWriter, SerWriter};

use crate::row::sort_and_deduplicate;
use crate::{Error, Row, atomic_file, parquet};

/// Writes `<folder>/<table>.parquet` and `<folder>/<table>.csv`, sorted by key.
///
/// # Errors
/// When a file cannot be written; the other may have been.
pub fn export<R: Row>(rows: &[R], folder: &Path) -> Result<(), Error> {
    let rows = sort_and_deduplicate(rows.to_vec());
    parquet::write(&folder.join(format!("{}.parquet", R::TABLE)), &rows)?;
    let file = folder.join(format!("{}.csv", R::TABLE));
    let mut frame = R::to_frame(&rows).map_err(|source| Error::Frame {
        file: file.clone(),
        source,
    })?;
    atomic_file::replace(&file, |out| CsvWriter::new(out).finish(&mut frame))
}
