//! What can go wrong before a model is asked anything, each in one line with its remedy.

use std::io;
use std::path::PathBuf;

/// A failure of configuration, of the cache, or of the model that was asked.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A key of the `[suites]` section has a value that cannot be served.
    #[error("{key} = {value}: {remedy}")]
    Config {
        /// Dotted key, as written in a sweep file.
        key: String,
        /// The offending value.
        value: String,
        /// What to write instead.
        remedy: String,
    },
    /// A file of the cache could not be read or written.
    #[error("cannot {action} {path}: {source}; check that the folder exists and is writable", path = path.display())]
    Io {
        /// What was tried.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// A file of the cache is not what its name says.
    #[error("{path} is damaged ({reason}); delete it and run again", path = path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The tokenizer could not be trained or applied.
    #[error("tokenizer: {0}")]
    Tokenizer(String),
    /// The model under test failed.
    #[error(transparent)]
    Model(#[from] crate::ModelError),
}

impl SuiteError {
    pub(crate) fn config(key: &str, value: impl ToString, remedy: impl Into<String>) -> Self {
        Self::Config {
            key: key.to_owned(),
            value: value.to_string(),
            remedy: remedy.into(),
        }
    }

    pub(crate) fn io(
        action: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }
}
