//! A TOML file as a tree in which every key has its path and its position.
//!
//! Sections are merged (those of a size over the defaults, overrides over blocks) before they are deserialised; the
//! tree keeps the position of every value in the merge, for error messages.

use std::fmt;

/// A one-based line number of a file.
pub type LineNumber = usize;

/// Where a key is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// At a line of the file.
    Line(LineNumber),
    /// In an option `--set` beside the file.
    Set,
}

impl Default for Position {
    fn default() -> Self {
        Self::Line(1)
    }
}

/// `:LINE` or ` with --set`, which follows the name of the file.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, ":{line}"),
            Self::Set => f.write_str(" with --set"),
        }
    }
}

/// A table with the position of each of its keys.
#[derive(Clone, Debug, Default)]
pub struct LocatedTable {
    /// Dotted path in the file; empty for the root table.
    pub path: String,
    /// Where it begins.
    pub position: Position,
    /// Entries, in the order of the file.
    pub entries: Vec<LocatedEntry>,
}

/// A key with its position and value.
#[derive(Clone, Debug)]
pub struct LocatedEntry {
    /// The last component of `path`.
    pub key: String,
    /// Dotted path in the file.
    pub path: String,
    /// Where the key is written.
    pub position: Position,
    /// The value.
    pub node: LocatedNode,
}

/// The value of a key.
#[derive(Clone, Debug)]
pub enum LocatedNode {
    /// A section or an inline table.
    Table(LocatedTable),
    /// Any other value; tables in arrays have no positions.
    Value(toml::Value),
}

impl LocatedTable {
    /// The entry of `key`; `None` if the key is absent.
    pub fn get(&self, key: &str) -> Option<&LocatedEntry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The table under `key`; an empty one if the key is absent or its value is not a table.
    pub fn section(&self, key: &str) -> Self {
        match self.get(key) {
            Some(LocatedEntry {
                node: LocatedNode::Table(table),
                ..
            }) => table.clone(),
            _ => Self {
                path: join(&self.path, key),
                position: self.position,
                entries: Vec::new(),
            },
        }
    }

    /// Removes and returns the entry of `key`; `None` if the key is absent.
    pub fn take(&mut self, key: &str) -> Option<LocatedEntry> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at))
    }

    /// This table merged with `over`, recursively; values of `over` replace those of this table, and have their own
    /// positions.
    pub fn merged(mut self, over: Self) -> Self {
        for entry in over.entries {
            let Some(below) = self.entries.iter_mut().find(|below| below.key == entry.key) else {
                self.entries.push(entry);
                continue;
            };
            match (&mut below.node, entry.node) {
                (LocatedNode::Table(lower), LocatedNode::Table(upper)) => {
                    *lower = std::mem::take(lower).merged(upper);
                }
                (_, node) => *below = LocatedEntry { node, ..entry },
            }
        }
        self
    }

    /// The first entry with this key, in this table or, if it has none, in the tables below it, depth first.
    pub fn find(&self, key: &str) -> Option<&LocatedEntry> {
        self.get(key).or_else(|| {
            self.entries.iter().find_map(|entry| match &entry.node {
                LocatedNode::Table(table) => table.find(key),
                LocatedNode::Value(_) => None,
            })
        })
    }

    /// The table as TOML, without positions.
    pub fn to_toml(&self) -> toml::Table {
        let value = |node: &LocatedNode| match node {
            LocatedNode::Table(table) => toml::Value::Table(table.to_toml()),
            LocatedNode::Value(value) => value.clone(),
        };
        self.entries
            .iter()
            .map(|entry| (entry.key.clone(), value(&entry.node)))
            .collect()
    }
}

/// `path.key`, or `key` if the path is empty.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
