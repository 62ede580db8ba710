//! Everything that ends a command early, and the exit status that says which kind it was.

use std::io;
use std::path::{Path, PathBuf};

use experiment::sweep_file::FileError;

/// Why a command ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sweep file.
    #[error(transparent)]
    File(#[from] FileError),
    /// An argument that only the sweep file can judge.
    #[error("{argument} {problem}; {remedy}")]
    Argument {
        /// The argument, as given.
        argument: String,
        /// What is wrong with it; follows the argument in the message.
        problem: String,
        /// How to correct it.
        remedy: String,
    },
    /// A shape that the file's checks let through.
    #[error(transparent)]
    Config(#[from] architectures::ConfigError),
    /// Corpus, tokenizer or questions.
    #[error(transparent)]
    Suites(#[from] suites::SuiteError),
    /// Rows.
    #[error(transparent)]
    Records(#[from] results::Error),
    /// The page.
    #[error(transparent)]
    Report(#[from] reports::ReportError),
    /// Runs that cannot share one table.
    #[error("these runs cannot be compared: {0}; name only runs that agree in it")]
    Mismatch(#[from] results::comparison::Mismatch),
    /// A configuration that cannot be written down.
    #[error("the configuration of a run cannot be written as TOML: {0}")]
    Configuration(#[from] toml::ser::Error),
    /// A table on the standard output.
    #[error("cannot print CSV: {0}")]
    Csv(#[from] csv::Error),
    /// JSON on the standard output.
    #[error("cannot print JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Saved weights.
    #[error(transparent)]
    Weights(#[from] crate::checkpoint::weights::WeightsError),
    /// A file of the output folder.
    #[error("cannot {action} {}: {source}; check that the folder exists, is writable and has space left", .path.display())]
    Io {
        /// The operation, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// The handler of Ctrl-C cannot be set.
    #[error("cannot listen to Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
    /// The threads cannot be started.
    #[error("cannot start the threads: {0}; lower --threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Error {
    /// For `map_err` on what was done to `path`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// 2 for what the caller wrote, 1 for what went wrong.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::File(_) | Self::Argument { .. } | Self::Config(_) | Self::Mismatch(_) => 2,
            Self::Suites(suites::SuiteError::Config { .. }) => 2,
            _ => 1,
        }
    }
}
