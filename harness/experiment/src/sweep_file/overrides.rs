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
mod tests {
    use super::super::resolve::resolve;
    use super::super::sweep::Sweep;
    use super::*;
    use crate::budget::DenseBudget;

    fn with(given: &[&str]) -> Result<Sweep, FileError> {
        let overrides: Vec<Override> = given.iter().map(|text| text.parse().unwrap()).collect();
        resolve("f.toml", crate::testing::SWEEP, &overrides)
    }

    fn message(given: &str) -> String {
        with(&[given]).unwrap_err().to_string()
    }

    #[test]
    fn values_replace_those_of_the_file_and_the_last_one_counts() {
        let sweep = with(&[
            "sizes.s.tokens=2e4",
            "seeds=[3, 4]",
            "name = other",
            "training.batch_size=1",
            "training.batch_size=2",
        ])
        .unwrap();
        assert_eq!(
            (sweep.name.as_str(), &sweep.seeds[..]),
            ("other", &[3, 4][..])
        );
        let [xs, s] = &sweep.sizes[..] else {
            panic!("{:?}", sweep.sizes)
        };
        assert_eq!(s.budget, DenseBudget::Tokens(20_000));
        // The size has a value of its own.
        assert_eq!((xs.training.batch_size, s.training.batch_size), (2, 8));
        assert_eq!(sweep.overrides[2].to_string(), "name = other");
    }

    #[test]
    fn a_table_replaces_a_section_and_sections_are_made() {
        let sweep = with(&[r#"blocks={"m+" = {kind = "dense"}}"#, "sizes.s.blocks={}"]).unwrap();
        let labels = |sweep: &Sweep| {
            let variants = sweep.sizes[0].variants.iter();
            variants
                .map(|variant| variant.block.clone())
                .collect::<Vec<_>>()
        };
        assert_eq!(labels(&sweep), ["m+"]);
        let sweep = with(&[r#"blocks."a.b=c".kind=dense"#]).unwrap();
        assert_eq!(labels(&sweep).last().unwrap(), "a.b=c");
    }

    #[test]
    fn errors_are_those_of_the_file_and_name_the_option() {
        let start = "f.toml with --set: ";
        for (given, expected) in [
            (
                "training.batch_sizes=8",
                "`training.batch_sizes` is not a known key; did you mean `batch_size`?",
            ),
            (
                "training.batch_size=many",
                "`training.batch_size` is string \"many\"; write a whole number",
            ),
            (
                "training={learning_rate=1e-3}",
                "`training.batch_size` is missing",
            ),
            ("blocks.memory.keys.n_keys=0", "`blocks.memory.keys.n_keys`"),
            (
                "siezs.s.tokens=5",
                "`siezs` is not a known key; did you mean `sizes`?",
            ),
        ] {
            let message = message(given);
            let found = message
                .strip_prefix(start)
                .unwrap_or_else(|| panic!("{message}"));
            assert!(found.starts_with(expected), "{message}");
        }
        let message = message("seeds.x=1");
        assert!(
            message.starts_with("f.toml:")
                && message.contains("`seeds` is no section, and --set gives its key `x`"),
            "{message}"
        );
    }

    #[test]
    fn invalid_texts_are_errors_and_bare_words_are_strings() {
        let error = |text: &str| text.parse::<Override>().unwrap_err();
        for text in ["", "a", "a.b", "\"a=b\"", "'a=b"] {
            assert!(error(text).contains("KEY=VALUE"), "{text}");
        }
        for text in [
            "=1",
            "a..b=1",
            "a b=1",
            "a\nb=1",
            "[a]=1",
            "a.=1",
            "memory+=1",
        ] {
            assert!(error(text).contains("no dotted key"), "{text}");
        }
        assert!(error("a=").contains("no value"));
        for text in ["a=[1", "a={b}", "a=\"b", "a='b", "a=\"b\"c"] {
            assert!(error(text).contains("no list, table or string"), "{text}");
        }
        for text in [
            "bf16",
            "data/a b.jsonl",
            "s3://bucket/a=b",
            "5\nb = 6",
            "1.2.3",
            "x # y",
        ] {
            let value = node(text).unwrap();
            assert!(
                matches!(&value, LocatedNode::Value(toml::Value::String(found)) if found == text),
                "{value:?}"
            );
        }
        let deep = format!("{}=1", vec!["a"; 1000].join("."));
        assert!(error(&deep).contains("no dotted key"));
    }
}
