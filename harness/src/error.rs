//! Errors that end a command, and their exit status.

use std::io;
use std::path::{Path, PathBuf};

use corpora::CorpusError;
use experiment::sweep_file::FileError;

/// An error that ends a command.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sweep file is invalid or cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// An argument is invalid for this sweep.
    #[error("{argument} {problem}; {remedy}")]
    Argument {
        /// The argument, as given.
        argument: String,
        /// What is invalid about it; follows the argument in the message.
        problem: String,
        /// How to correct it.
        remedy: String,
    },
    /// A model configuration is invalid in a way that the checks of the sweep file do not detect.
    #[error(transparent)]
    Config(#[from] architectures::ConfigError),
    /// The corpus, tokenizer or questions cannot be prepared or evaluated.
    #[error(transparent)]
    Suites(#[from] suites::SuiteError),
    /// Text corpora, the tokenizer or the cache cannot be read or written.
    #[error(transparent)]
    Corpora(#[from] CorpusError),
    /// Rows cannot be read or written.
    #[error(transparent)]
    Records(#[from] results::Error),
    /// The HTML report cannot be rendered.
    #[error(transparent)]
    Report(#[from] reports::ReportError),
    /// The selected runs cannot be compared in one table.
    #[error("these runs cannot be compared: {0}; select only runs that agree in it")]
    Mismatch(#[from] results::comparison::Mismatch),
    /// The configuration of a run cannot be serialised.
    #[error("the configuration of a run cannot be written as TOML: {0}")]
    Configuration(#[from] toml::ser::Error),
    /// Rows cannot be written as CSV.
    #[error("cannot write CSV: {0}")]
    Csv(#[from] csv::Error),
    /// JSON cannot be written.
    #[error("cannot write JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// Standard output cannot be written; everything else is done.
    #[error("cannot write to standard output: {0}; free space, or print to another file")]
    Output(io::Error),
    /// The reader of standard output has closed it: the command ends without a message.
    #[error("standard output is closed")]
    ClosedOutput,
    /// A checkpoint or weights cannot be saved or loaded.
    #[error(transparent)]
    Checkpoint(#[from] crate::checkpoint::error::CheckpointError),
    /// A file of the output folder cannot be read or written.
    #[error("cannot {action} {}: {source}; check that the folder exists, is writable and has free space", .path.display())]
    Io {
        /// The operation, such as `write`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
    /// A sweep cannot be forecast.
    #[error("no forecast: {0}; train more budgets or seeds first")]
    Forecast(#[from] results::forecast::NoForecast),
    /// A benchmark, its files or its answers cannot be used.
    #[error(transparent)]
    Benchmark(#[from] benchmarks::BenchmarkError),
    /// A model cannot be exported or imported.
    #[error(transparent)]
    Interchange(#[from] interchange::Error),
    /// Programs cannot be run.
    #[error(transparent)]
    Sandbox(#[from] sandbox::SandboxError),
    /// The law of transferred learning rates is not good enough.
    #[error(transparent)]
    Law(#[from] experiment::tuning::cells::LawRejected),
    /// Worker processes ended before all runs did.
    #[error(
        "{runs} runs are left: processes of --jobs {jobs} ended early, perhaps for lack of memory; run the same command again \
         with fewer jobs"
    )]
    Workers {
        /// Number of runs that are left.
        runs: usize,
        /// Number of processes.
        jobs: usize,
    },
    /// Jobs were not submitted, or only some of them.
    #[error("the jobs were not all submitted, as the messages above say; correct {} or the options, and submit again: runs that other jobs hold are not executed twice", .script.display())]
    Submission {
        /// The script that submits them.
        script: PathBuf,
    },
    /// The signal handler cannot be installed.
    #[error("cannot install the handler of Ctrl-C: {0}")]
    Signals(#[from] ctrlc::Error),
    /// The processes of a launcher cannot be the ranks of one program.
    #[error(transparent)]
    Launch(#[from] collectives::LaunchError),
    /// The worker threads cannot be started.
    #[error("cannot start the worker threads: {0}; lower --threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl Error {
    /// A closure for `map_err` of the operation `action` on `path`.
    pub fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io {
            action,
            path,
            source,
        }
    }

    /// The exit status of the process: 2 for invalid arguments or configuration, 1 for other errors.
    pub fn exit_status(&self) -> u8 {
        match self {
            Self::File(_) | Self::Argument { .. } | Self::Config(_) | Self::Mismatch(_) => 2,
            Self::Benchmark(_) | Self::Launch(_) => 2,
            Self::Interchange(
                interchange::Error::Content { .. } | interchange::Error::Config { .. },
            ) => 2,
            Self::Suites(suites::SuiteError::Config { .. }) => 2,
            Self::Suites(suites::SuiteError::Corpus(error)) | Self::Corpora(error)
                if is_input(error) =>
            {
                2
            }
            _ => 1,
        }
    }
}

/// Whether the user's input is invalid.
fn is_input(error: &CorpusError) -> bool {
    matches!(
        error,
        CorpusError::Config { .. } | CorpusError::Source { .. }
    )
}
