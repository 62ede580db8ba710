//! Errors of sweep files, in one line each of less than a thousand characters: position, key, problem and remedy.

use architectures::ConfigError;

use super::tree::{LineNumber, LocatedEntry, LocatedTable, Position, join};
use crate::printable::{MAX_QUOTED, shortened};

/// An invalid or unreadable sweep file.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The value of a key is invalid or missing.
    #[error("{}{position}: `{}` {}; {}", part(.file), part(.key), sentence(.problem), sentence(.remedy))]
    Key {
        /// Name of the file.
        file: String,
        /// Where the key is written.
        position: Position,
        /// Dotted path of the key.
        key: String,
        /// What is invalid about the value; follows the key in the message.
        problem: String,
        /// How to correct it.
        remedy: String,
    },
    /// The text is not TOML.
    #[error("{}:{line}: {}; the file must be TOML 1.0", part(.file), sentence(.problem))]
    Syntax {
        /// Name of the file.
        file: String,
        /// Line of the error.
        line: LineNumber,
        /// The message of the TOML parser.
        problem: String,
    },
    /// The file cannot be read, and its name is not that of a built-in sweep.
    #[error(
        "{}: cannot be read ({source}); give the path of a sweep file, or the name of a built-in one: {builtin}",
        part(.file)
    )]
    Unreadable {
        /// The path.
        file: String,
        /// The error of the operating system.
        source: std::io::Error,
        /// Names of the built-in sweeps, separated by commas.
        builtin: String,
    },
}

/// A name or key in a message; it may be any text.
fn part(text: &str) -> String {
    shortened(text, 120)
}

/// A problem or remedy in a message; the values that it quotes are shortened where it is made.
fn sentence(text: &str) -> String {
    shortened(text, 300)
}

/// A value of the file in a message.
pub fn quoted(value: &str) -> String {
    shortened(value, MAX_QUOTED)
}

impl FileError {
    /// A syntax error of the TOML parser at the text `found`; an error of the key if it is a duplicate.
    pub fn syntax(file: &str, line: LineNumber, found: &str, problem: &str) -> Self {
        if problem.starts_with("duplicate key") {
            return Self::Key {
                file: file.to_owned(),
                position: Position::Line(line),
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
        entry: &LocatedEntry,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Key {
            file: file.to_owned(),
            position: entry.position,
            key: entry.path.clone(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The table as a whole is invalid.
    pub fn within(
        file: &str,
        table: &LocatedTable,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self::Key {
            file: file.to_owned(),
            position: table.position,
            key: table.path.clone(),
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// The value of `key` in `table` is invalid or missing.
    pub fn of(
        file: &str,
        table: &LocatedTable,
        key: &str,
        problem: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        match table.get(key) {
            Some(entry) => Self::at(file, entry, problem, remedy),
            None => Self::Key {
                file: file.to_owned(),
                position: table.position,
                key: join(&table.path, key),
                problem: problem.into(),
                remedy: remedy.into(),
            },
        }
    }

    /// An invalid configuration of a decoder, block or training: at the key in the first of `tables` that has it, or at
    /// the first table if the key has its default value.
    pub fn config(file: &str, tables: &[&LocatedTable], error: ConfigError) -> Self {
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
