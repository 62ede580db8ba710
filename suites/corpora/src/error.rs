//! Errors of the crate, each in one line with its remedy.

use std::io;
use std::path::{Path, PathBuf};

/// An error of the configuration, of a source file, of the cache or of the tokenizer.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A key of a sweep file has an invalid value.
    #[error("{key} = {value}: {remedy}")]
    Config {
        /// Dotted key, as written in a sweep file.
        key: String,
        /// The invalid value.
        value: String,
        /// How to correct it.
        remedy: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {path}: {source}; check that the folder exists and is writable", path = path.display())]
    Io {
        /// The attempted action.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A source file, or a record of it, is invalid.
    #[error("{place}: {problem}; {remedy}")]
    Source {
        /// The file, and the line, row or byte where there is one.
        place: String,
        /// What is invalid.
        problem: String,
        /// How to correct it.
        remedy: String,
    },
    /// A file of the cache does not have the content that its name implies.
    #[error("{path} is damaged ({reason}); delete it and run again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The preparation was ended from outside.
    #[error("interrupted; run the same command again to continue")]
    Interrupted,
    /// The tokenizer could not be trained or applied.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
}

impl CorpusError {
    /// An invalid value of a key.
    pub fn config(key: &str, value: impl ToString, remedy: impl Into<String>) -> Self {
        Self::Config {
            key: key.to_owned(),
            value: value.to_string(),
            remedy: remedy.into(),
        }
    }

    /// An invalid source file or record.
    pub fn source(
        place: impl Into<String>,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Source {
            place: place.into(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// A damaged file of the cache.
    pub fn damaged(path: &Path, reason: impl Into<String>) -> Self {
        Self::Damaged {
            path: path.to_owned(),
            reason: reason.into(),
        }
    }

    /// Adds the action and the path to an error of the operating system.
    pub fn io(action: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
