//! Why a model cannot be exported or imported.

use std::io;
use std::path::{Path, PathBuf};

use architectures::ConfigError;
use corpora::CorpusError;

/// An error in writing or reading a folder of a model.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be accessed.
    #[error("cannot {action} {}: {source}; check that the folder exists, is accessible and has free space", .path.display())]
    Io {
        /// The operation, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// A file or folder does not have the content that is expected of it.
    #[error("{} {problem}; {remedy}", .path.display())]
    Content {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong; follows the path in the message.
        problem: String,
        /// How to correct it.
        remedy: String,
    },
    /// The dimensions of the model are invalid.
    #[error("{} describes no valid model: {source}", .path.display())]
    Config {
        /// The file of the configuration.
        path: PathBuf,
        /// The key and what is wrong with it.
        source: ConfigError,
    },
    /// The tokenizer cannot be read or written.
    #[error(transparent)]
    Tokenizer(#[from] CorpusError),
}

impl Error {
    /// A closure for `map_err` of the operation `action` on `path`.
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// The content of `path` is not what is expected.
    pub(crate) fn content(
        path: &Path,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Content {
            path: path.to_owned(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// A closure for `map_err` of a configuration in `path`.
    pub(crate) fn config(path: &Path) -> impl FnOnce(ConfigError) -> Self {
        let path = path.to_owned();
        move |source| Self::Config { path, source }
    }
}
