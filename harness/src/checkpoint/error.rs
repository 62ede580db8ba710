//! Why a checkpoint or weights cannot be written or read.

use std::io;
use std::path::{Path, PathBuf};

use architectures::ConfigError;

/// An error in writing or reading a checkpoint or weights.
#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    /// A file cannot be accessed.
    #[error("cannot {action} {}: {source}; check that the folder is writable and has free space", .path.display())]
    Io {
        /// The operation, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file is not what was written.
    #[error("{} is damaged: {reason}; delete it, and run the sweep again", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The difference.
        reason: String,
    },
    /// The files belong to another run, model or version.
    #[error("{} does not belong to this run: {reason}; delete it, and run the sweep again", .path.display())]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// The difference.
        reason: String,
    },
    /// The model cannot be built.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

impl CheckpointError {
    /// A closure for `map_err` of the operation `action` on `path`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// The file `path` is not what was written.
    pub fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// Whether the disk had no space for a file.
    pub fn is_disk_full(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }
}
