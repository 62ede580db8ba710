//! Errors of benchmarks: one line that names the file and line, or the task and key, and the remedy.

use std::io;
use std::path::{Path, PathBuf};

/// A benchmark, its files or its answers cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BenchmarkError {
    /// The declaration of a task is invalid.
    #[error("task {task}: {problem}; {remedy}")]
    Task {
        /// Name or file of the task.
        task: String,
        /// What is invalid.
        problem: String,
        /// How to correct it.
        remedy: String,
    },
    /// A line of a file cannot be used.
    #[error("{}:{line}: {problem}; {remedy}", .file.display())]
    Line {
        /// The file.
        file: PathBuf,
        /// Its line, from 1.
        line: usize,
        /// What is wrong with it.
        problem: String,
        /// How to correct it.
        remedy: String,
    },
    /// No file of a task was found.
    #[error("task {task}: {problem}; {remedy}")]
    Files {
        /// Name of the task.
        task: String,
        /// What was not found.
        problem: String,
        /// What to give.
        remedy: String,
    },
    /// The model that is evaluated failed.
    #[error("task {task}: the model cannot be evaluated: {problem}")]
    Model {
        /// Name of the task.
        task: String,
        /// The reason.
        problem: String,
    },
    /// A file cannot be read.
    #[error("{}: cannot be read ({source}); check the path and its permissions", .file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// The error of the operating system.
        source: io::Error,
    },
}

impl BenchmarkError {
    /// A closure for `map_err` of reading `file`.
    pub(crate) fn io(file: &Path) -> impl FnOnce(io::Error) -> Self {
        let file = file.to_owned();
        move |source| Self::Io { file, source }
    }
}
