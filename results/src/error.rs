//! Errors between rows and files. Every message fits on one line, names the file or column and states what to do.

use std::io;
use std::path::PathBuf;

use polars::prelude::PolarsError;

/// A frame whose columns are not those of its rows.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A column is missing.
    #[error("column `{column}` is missing")]
    Missing {
        /// Its name.
        column: &'static str,
    },
    /// A column has another type.
    #[error("column `{column}` holds {found}, not {expected}")]
    Type {
        /// Its name.
        column: &'static str,
        /// The type that rows have.
        expected: String,
        /// The type that the file has.
        found: String,
    },
    /// A value is null.
    #[error("column `{column}` is empty in row {row}, where a value is required")]
    Null {
        /// The column.
        column: &'static str,
        /// Row, from 0.
        row: usize,
    },
    /// Columns differ in length.
    #[error("columns do not fit together ({0})")]
    Shape(PolarsError),
}

impl Error {
    /// Whether a file could not be written for lack of space on the disk.
    pub fn is_disk_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        match self {
            Self::Io { source, .. } => matches!(source.kind(), StorageFull | QuotaExceeded),
            // Polars passes on the text of the system's error only.
            Self::Unwritable { detail, .. } => ["os error 28)", "os error 122)"]
                .iter()
                .any(|code| detail.contains(code)),
            _ => false,
        }
    }
}

/// A folder of records that cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No records are in the folder.
    #[error("{}: no records here; run a sweep first, or name the folder that holds `runs/`", .folder.display())]
    Absent {
        /// The folder.
        folder: PathBuf,
    },
    /// A file or folder cannot be accessed.
    #[error("{}: {action}: {source}; check that the path is right, writable and has space left", .path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What failed.
        action: &'static str,
        /// The cause.
        source: io::Error,
    },
    /// A file is not Parquet, or damaged.
    #[error("{}: cannot be read as Parquet ({detail}); delete the file and run the sweep again", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// The cause.
        detail: String,
    },
    /// A file cannot be written.
    #[error("{}: cannot be written ({detail}); check that the disk has space left", .file.display())]
    Unwritable {
        /// The file.
        file: PathBuf,
        /// The cause.
        detail: String,
    },
    /// The columns of a file are not those of its rows.
    #[error(
        "{}: {source}; the file is foreign or from another version: delete it and run the sweep again",
        .file.display()
    )]
    Frame {
        /// The file.
        file: PathBuf,
        /// The difference.
        source: FrameError,
    },
    /// A run name that is not a file name.
    #[error(
        "run name `{run}` cannot be a file name; use letters, digits, `-`, `_` and `.` (not first)"
    )]
    RunName {
        /// The name.
        run: String,
    },
    /// A row that belongs to another run.
    #[error(
        "a row of run `{found}` was handed in under run `{run}`; write each run's rows under its own name"
    )]
    ForeignRow {
        /// The run that is written.
        run: String,
        /// The run that the row names.
        found: String,
    },
}

/// `message` on one line.
pub(crate) fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
