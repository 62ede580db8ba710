//! What is wrong with a sweep file, in one line: where, which key, what to do.

use architectures::ConfigError;

use super::tree::{Entry, Line, Table, join};

/// A file that is not a sweep.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The value of a key is invalid or missing.
    #[error("{file}:{line}: `{key}` {problem}; {remedy}")]
    Key {
        /// The file, as given.
        file: String,
        /// Line of the key, from 1.
        line: Line,
        /// Dotted path.
        key: String,
        /// What is wrong with the value; follows the key in the message.
        problem: String,
        /// How to correct it.
        remedy: String,
    },
    /// No key to point at: the text is not TOML.
    #[error("{file}:{line}: {problem}; the file must be TOML 1.0")]
    Syntax {
        /// The file, as given.
        file: String,
        /// Line of the error, from 1.
        line: Line,
        /// The message of the TOML parser.
        problem: String,
    },
    /// No text to read.
    #[error(
        "{file}: cannot be read ({source}); give the path of a sweep file, or the name of a built-in one: {builtin}"
    )]
    Unreadable {
        /// The path that was tried.
        file: String,
        /// The error of the operating system.
        source: std::io::Error,
        /// Names of the built-in sweeps, with commas between.
        builtin: String,
    },
}

impl FileError {
    /// A syntax error of the TOML parser; `found` is the text it points at.
    pub fn syntax(file: &str, line: Line, found: &str, problem: &str) -> Self {
        if problem.starts_with("duplicate key") {
            return Self::Key {
                file: file.to_owned(),
                line,
                key: found.trim().to_owned(),
                problem: "is a duplicate key".to_owned(),
                remedy: "write it once".to_owned(),
            };
        }
        Self::Syntax {
            file: file.to_owned(),
            line,
            problem: problem.to_owned(),
        }
    }

    /// The value of `entry` is invalid.
    pub fn at(
        file: &str,
        entry: &Entry,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Key {
            file: file.to_owned(),
            line: entry.line,
            key: entry.path.clone(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The table as a whole is invalid.
    pub fn within(
        file: &str,
        table: &Table,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Key {
            file: file.to_owned(),
            line: table.line,
            key: table.path.clone(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The value of `key` in `table` is invalid or missing.
    pub fn of(
        file: &str,
        table: &Table,
        key: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        match table.get(key) {
            Some(entry) => Self::at(file, entry, problem, remedy),
            None => Self::Key {
                file: file.to_owned(),
                line: table.line,
                key: join(&table.path, key),
                problem: problem.into(),
                remedy: remedy.into(),
            },
        }
    }

    /// A shape that cannot be built: at the key, wherever `tables` have it, or at the first of them where it is left to
    /// its default.
    pub fn shape(file: &str, tables: &[&Table], error: ConfigError) -> Self {
        match (
            tables.iter().find_map(|table| table.find(error.key)),
            tables.first(),
        ) {
            (Some(entry), _) => Self::at(file, entry, error.problem, error.remedy),
            (None, Some(table)) => Self::of(file, table, error.key, error.problem, error.remedy),
            (None, None) => Self::syntax(file, 1, error.key, &error.problem),
        }
    }
}
