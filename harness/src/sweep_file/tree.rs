//! A TOML file as a tree whose every key knows its path and its line.
//!
//! Sections are merged (defaults under sizes, blocks under their overrides) before they are read into types; a tree
//! that carries lines through the merge can still say where a value was written.

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::FileError;

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
    /// Parses a file's text. Syntax errors and duplicate keys are found here.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        let line_of = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
        let fault = |error: toml::de::Error| {
            let span = error.span().unwrap_or(0..0);
            FileError::syntax(
                file,
                line_of(span.start),
                text.get(span).unwrap_or(""),
                error.message(),
            )
        };
        let root = DeTable::parse(text).map_err(fault)?;
        table(String::new(), 1, root.into_inner(), &line_of).map_err(fault)
    }

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

    /// The tables of a section whose keys are labels.
    pub fn labelled(&self, file: &str) -> Result<Vec<(&Entry, Self)>, FileError> {
        let mut labelled = Vec::with_capacity(self.entries.len());
        for label in &self.entries {
            let Node::Table(table) = &label.node else {
                return Err(FileError::at(
                    file,
                    label,
                    "is not a table",
                    "write it as a section",
                ));
            };
            labelled.push((label, table.clone()));
        }
        Ok(labelled)
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

fn table(
    path: String,
    line: Line,
    parsed: DeTable,
    line_of: &dyn Fn(usize) -> Line,
) -> Result<Table, toml::de::Error> {
    let mut parsed: Vec<_> = parsed.into_iter().collect();
    parsed.sort_by_key(|(key, _)| key.span().start);
    let mut entries = Vec::with_capacity(parsed.len());
    for (key, value) in parsed {
        let (line, key) = (line_of(key.span().start), key.into_inner().into_owned());
        let path = join(&path, &key);
        let node = if value.get_ref().is_table() {
            match value.into_inner() {
                DeValue::Table(inner) => Node::Table(table(path.clone(), line, inner, line_of)?),
                _ => continue,
            }
        } else {
            Node::Value(toml::Value::deserialize(ValueDeserializer::from(value))?)
        };
        entries.push(Entry {
            key,
            path,
            line,
            node,
        });
    }
    Ok(Table {
        path,
        line,
        entries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "b = 1\n[z]\nx = 1\ny = { k = 2, top = [1, 2] }\n[a]\nx = 3\n[over.y]\nk = 9\n";

    #[test]
    fn keys_know_their_line_and_keep_their_order() {
        let tree = Table::parse("f", TEXT).unwrap();
        let keys: Vec<_> = tree
            .entries
            .iter()
            .map(|e| (e.key.as_str(), e.line))
            .collect();
        assert_eq!(keys, [("b", 1), ("z", 2), ("a", 5), ("over", 7)]);
        let k = tree.find("k").unwrap();
        assert_eq!((k.path.as_str(), k.line), ("z.y.k", 4));
    }

    #[test]
    fn a_merge_is_deep_and_keeps_the_line_of_what_won() {
        let tree = Table::parse("f", TEXT).unwrap();
        let merged = tree.section("z").merged(tree.section("over"));
        assert_eq!(merged.find("k").unwrap().line, 8);
        assert_eq!(
            merged.to_toml().to_string(),
            "x = 1\n\n[y]\nk = 9\ntop = [1, 2]\n"
        );
    }

    #[test]
    fn a_duplicate_key_is_named_with_its_second_line() {
        let message = Table::parse("f.toml", "[a]\nx = 1\ny = 2\nx = 3\n")
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("f.toml:4: `x`"), "{message}");
        assert!(message.contains("duplicate"), "{message}");
        assert!(
            Table::parse("f.toml", "[a]\n[b]\n[a]\n")
                .unwrap_err()
                .to_string()
                .starts_with("f.toml:3")
        );
    }
}
