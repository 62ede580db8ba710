//! A TOML file as a tree whose every key knows its path and its line.
//!
//! Sections are merged (defaults under sizes, blocks under their overrides) before they are read into types; a tree
//! that carries lines through the merge can still say where a value was written.

/// A line of a file, from one.
pub type Line = usize;

/// A table, its entries in the order of the file.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Dotted path, empty for the file itself.
    pub path: String,
    /// Where it begins.
    pub line: Line,
    /// In the order of the file.
    pub entries: Vec<Entry>,
}

/// A key with what it holds.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The last part of `path`.
    pub key: String,
    /// Dotted path in the file.
    pub path: String,
    /// Where the key is written.
    pub line: Line,
    /// What it holds.
    pub node: Node,
}

/// What a key holds.
#[derive(Clone, Debug)]
pub enum Node {
    /// A section or an inline table.
    Table(Table),
    /// Anything else; arrays are whole.
    Value(toml::Value),
}

impl Table {
    /// The entry of `key`.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.key == key)
    }

    /// The table under `key`; an empty one where the key is absent or holds something else.
    pub fn section(&self, key: &str) -> Self {
        match self.get(key) {
            Some(Entry {
                node: Node::Table(table),
                ..
            }) => table.clone(),
            _ => Self {
                path: join(&self.path, key),
                line: self.line,
                entries: Vec::new(),
            },
        }
    }

    /// Removes the entry of `key`.
    pub fn take(&mut self, key: &str) -> Option<Entry> {
        let at = self.entries.iter().position(|entry| entry.key == key)?;
        Some(self.entries.remove(at))
    }

    /// This table with `over` laid on it, table by table: what `over` says wins, and so does its line.
    pub fn merged(mut self, over: Self) -> Self {
        for entry in over.entries {
            let Some(held) = self.entries.iter_mut().find(|held| held.key == entry.key) else {
                self.entries.push(entry);
                continue;
            };
            match (&mut held.node, entry.node) {
                (Node::Table(below), Node::Table(above)) => {
                    *below = std::mem::take(below).merged(above);
                }
                (_, node) => *held = Entry { node, ..entry },
            }
        }
        self
    }

    /// The first entry called `key` in this table or a table below it; a higher one comes first.
    pub fn find(&self, key: &str) -> Option<&Entry> {
        self.get(key).or_else(|| {
            self.entries.iter().find_map(|entry| match &entry.node {
                Node::Table(table) => table.find(key),
                Node::Value(_) => None,
            })
        })
    }

    /// The tree as plain TOML.
    pub fn to_toml(&self) -> toml::Table {
        let value = |node: &Node| match node {
            Node::Table(table) => toml::Value::Table(table.to_toml()),
            Node::Value(value) => value.clone(),
        };
        self.entries
            .iter()
            .map(|entry| (entry.key.clone(), value(&entry.node)))
            .collect()
    }
}

/// `path.key`, without a dot at the start.
pub fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
