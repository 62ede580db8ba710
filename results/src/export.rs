//! Export: whole tables as files for other programs.

use std::io::{BufWriter, Write};
use std::path::Path;

use polars::prelude::{CsvWriter, SerWriter};

use crate::row::sort_and_deduplicate;
use crate::{Error, Row, atomic_file, parquet};

/// Writes `<folder>/<table>.jsonl`: a JSON object for each row, one a line, with null for what is missing or non-finite.
///
/// # Errors
/// When the file cannot be written.
pub fn write_json_lines<R: Row>(rows: &[R], folder: &Path) -> Result<(), Error> {
    atomic_file::replace(&folder.join(format!("{}.jsonl", R::TABLE)), |file| {
        let mut out = BufWriter::new(file);
        for row in rows {
            serde_json::to_writer(&mut out, row)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    })
}

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
