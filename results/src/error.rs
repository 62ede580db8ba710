//! What can go wrong between rows and files. Every message fits on one line, names the place and says what to do.

use std::io;
use std::path::PathBuf;

use polars::prelude::PolarsError;

/// A frame that does not hold the rows it should.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    #[error("column `{column}` is missing")]
    Missing { column: &'static str },
    #[error("column `{column}` holds {found}, not {expected}")]
    Type {
        column: &'static str,
        expected: String,
        found: String,
    },
    #[error("column `{column}` is empty in row {row}, where a value is required")]
    Null { column: &'static str, row: usize },
    #[error("columns do not fit together ({0})")]
    Shape(PolarsError),
}

/// A folder of records that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: no records here; run a sweep first, or name the folder that holds `runs/`", .folder.display())]
    Absent { folder: PathBuf },
    #[error("{}: {action}: {source}; check that the path is right, writable and has space left", .path.display())]
    Io {
        path: PathBuf,
        action: &'static str,
        source: io::Error,
    },
    #[error("{}: cannot be read as Parquet ({detail}); delete the file and run the sweep again", .file.display())]
    Unreadable { file: PathBuf, detail: String },
    #[error("{}: cannot be written ({detail}); check that the disk has space left", .file.display())]
    Unwritable { file: PathBuf, detail: String },
    #[error(
        "{}: {source}; the file is foreign or from another version: delete it and run the sweep again",
        .file.display()
    )]
    Frame { file: PathBuf, source: FrameError },
    #[error(
        "run name `{run}` cannot be a file name; use letters, digits, `-`, `_` and `.` (not first)"
    )]
    RunName { run: String },
    #[error(
        "a row of run `{found}` was handed in under run `{run}`; write each run's rows under its own name"
    )]
    ForeignRow { run: String, found: String },
}
