//! `--set KEY=VALUE`: a key of a sweep file, given on the command line in place of the file's own.
//!
//! `KEY` is a dotted key of TOML, with quotes around parts that need them (`blocks."memory+".keys.n_keys`). `VALUE` is a
//! value of TOML; a text that is none, such as `flops` or `data/a.jsonl`, is a string. The value replaces that of the file
//! whole, a section too. It is set in the parsed file before anything is checked, so that it is checked as if it were
//! written there.

use std::fmt;
use std::str::FromStr;

use super::error::{FileError, quoted};
use super::tree::{LocatedEntry, LocatedNode, LocatedTable, Position, join};

/// Most parts of a key; the deepest key of a sweep file has seven.
const MAX_PARTS: usize = 32;

/// A key with the value that replaces that of the file.
#[derive(Clone, Debug)]
pub struct Override {
    text: String,
    /// Parts of the dotted key; never empty.
    key: Vec<String>,
    value: LocatedNode,
}

impl Override {
    /// Sets the key in `root`, the parsed file `file`, and makes the sections above it that are missing.
    ///
    /// # Errors
    /// If a part of the key before the last has a value that is no section.
    pub fn apply(&self, file: &str, root: &mut LocatedTable) -> Result<(), FileError> {
        set(file, root, &self.key, &self.value)
    }
}

/// `KEY=VALUE`, as it was given.
impl fmt::Display for Override {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Override {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((key, value)) = split(text) else {
            return Err("is no KEY=VALUE, such as training.batch_size=8".to_owned());
        };
        Ok(Self {
            text: text.to_owned(),
            key: parts(key)?,
            value: node(value.trim())?,
        })
    }
}

/// The key and the value: the first `=` outside quotes divides them.
fn split(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if escaped => escaped = false,
            (Some('"'), '\\') => escaped = true,
            (Some(open), c) if open == c => quote = None,
            (None, '"' | '\'') => quote = Some(c),
            (None, '=') => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

/// The parts of a dotted key.
fn parts(key: &str) -> Result<Vec<String>, String> {
    let invalid = || {
        format!(
            "has the key `{}`, which is no dotted key of TOML; quote parts with other characters than letters, digits, \
             `-` and `_`: blocks.\"memory+\".kind",
            quoted(key)
        )
    };
    if key.chars().any(char::is_control) {
        return Err(invalid());
    }
    let parsed = LocatedTable::parse("", &format!("{key} = 0")).map_err(|_| invalid())?;
    let (mut parts, mut table) = (Vec::new(), &parsed);
    loop {
        let [entry] = &table.entries[..] else {
            return Err(invalid());
        };
        parts.push(entry.key.clone());
        match &entry.node {
            LocatedNode::Table(inner) if parts.len() < MAX_PARTS => table = inner,
            LocatedNode::Table(_) => return Err(invalid()),
            LocatedNode::Value(_) => return Ok(parts),
        }
    }
}

/// The value of the text: that of TOML, or the text itself.
fn node(text: &str) -> Result<LocatedNode, String> {
    if text.is_empty() {
        return Err("has no value; write \"\" for an empty text".to_owned());
    }
    let parsed = LocatedTable::parse("", &format!("value = {text}"));
    match parsed.map(|table| table.entries) {
        Ok(mut entries) if entries.len() == 1 => Ok(entries.remove(0).node),
        _ if text.starts_with(['[', '{', '"', '\'']) => Err(format!(
            "has the value `{}`, which is no list, table or string of TOML",
            quoted(text)
        )),
        _ => Ok(LocatedNode::Value(toml::Value::String(text.to_owned()))),
    }
}

fn set(
    file: &str,
    table: &mut LocatedTable,
    key: &[String],
    value: &LocatedNode,
) -> Result<(), FileError> {
    let Some((first, rest)) = key.split_first() else {
        return Ok(());
    };
    let path = join(&table.path, first);
    let at = table.entries.iter().position(|entry| &entry.key == first);
    if rest.is_empty() {
        let entry = LocatedEntry {
            key: first.clone(),
            node: at_path(value, &path),
            path,
            position: Position::Set,
        };
        match at {
            Some(at) => table.entries[at] = entry,
            None => table.entries.push(entry),
        }
        return Ok(());
    }
    let at = at.unwrap_or_else(|| {
        table.entries.push(LocatedEntry {
            key: first.clone(),
            node: LocatedNode::Table(LocatedTable {
                path: path.clone(),
                position: Position::Set,
                entries: Vec::new(),
            }),
            path,
            position: Position::Set,
        });
        table.entries.len() - 1
    });
    match &mut table.entries[at].node {
        LocatedNode::Table(inner) => set(file, inner, rest, value),
        LocatedNode::Value(_) => Err(FileError::at(
            file,
            &table.entries[at],
            format!(
                "is no section, and --set gives its key `{}`",
                quoted(&rest.join("."))
            ),
            "set the whole value",
        )),
    }
}

/// `node` as the value at `path`.
fn at_path(node: &LocatedNode, path: &str) -> LocatedNode {
    let LocatedNode::Table(table) = node else {
        return node.clone();
    };
    let entries = table.entries.iter().map(|entry| {
        let path = join(path, &entry.key);
        LocatedEntry {
            key: entry.key.clone(),
            node: at_path(&entry.node, &path),
            path,
            position: Position::Set,
        }
    });
    LocatedNode::Table(LocatedTable {
        path: path.to_owned(),
        position: Position::Set,
        entries: entries.collect(),
    })
}

#[cfg(test)]
mod tests;
