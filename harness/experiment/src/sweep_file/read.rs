//! Deserialisation of tables, with errors that name the key and its line.

use architectures::{BlockByKind, BlockConfig};
use serde::de::DeserializeOwned;
use serde_path_to_error::{Path, Segment};

use super::error::{FileError, quoted as quote};
use super::suggest::suggest;
use super::tree::{LocatedEntry, LocatedNode, LocatedTable, join};

/// Deserialises `table` as a `T`.
///
/// # Errors
/// For the first key that is unknown, missing, or has a value of another type.
pub fn read<T: DeserializeOwned>(file: &str, table: &LocatedTable) -> Result<T, FileError> {
    let value = toml::Value::Table(table.to_toml());
    serde_path_to_error::deserialize(value)
        .map_err(|error| located(file, table, error.path(), error.inner().message(), None))
}

/// Deserialises `table` as the configuration of a block.
///
/// The table is deserialised as an externally tagged enum, with `kind` as its tag: serde buffers the fields of an
/// internally tagged enum, and its errors then have no path.
///
/// # Errors
/// As for [`read`].
pub fn read_block(file: &str, table: &LocatedTable) -> Result<BlockConfig, FileError> {
    let mut fields = table.clone();
    let Some(kind) = fields.take("kind") else {
        return Err(FileError::of(
            file,
            table,
            "kind",
            "is missing",
            "add it here",
        ));
    };
    let LocatedNode::Value(toml::Value::String(name)) = &kind.node else {
        let remedy = "write the name of a block, such as \"dense\"";
        return Err(FileError::at(file, &kind, "is not a string", remedy));
    };
    let keyed = toml::Table::from_iter([(name.clone(), fields.to_toml().into())]);
    let block: Result<BlockByKind, _> = serde_path_to_error::deserialize(toml::Value::Table(keyed));
    block.map(BlockConfig::from).map_err(|error| {
        located(
            file,
            &fields,
            error.path(),
            error.inner().message(),
            Some(&kind),
        )
    })
}

/// The error of serde's `message` at `path` in `table`; `kind` is the entry of the tag, if the table is a block.
fn located(
    file: &str,
    table: &LocatedTable,
    path: &Path,
    message: &str,
    kind: Option<&LocatedEntry>,
) -> FileError {
    let (problem, remedy) = translate(message);
    let (mut parent, mut found) = (table, None);
    for segment in path {
        let (Segment::Map { key } | Segment::Enum { variant: key }) = segment else {
            break;
        };
        // The first segment of a block's path is its kind, which is not a key of the file.
        let Some(entry) = parent.get(key) else {
            continue;
        };
        found = Some(entry);
        match &entry.node {
            LocatedNode::Table(inner) => parent = inner,
            LocatedNode::Value(_) => break,
        }
    }
    if let Some(key) = quoted(message, "missing field ") {
        let path = join(&parent.path, key);
        let position = parent.position;
        return FileError::within(
            file,
            &LocatedTable {
                path,
                position,
                entries: Vec::new(),
            },
            problem,
            remedy,
        );
    }
    let kind = kind.filter(|_| quoted(message, "unknown variant ").is_some());
    match found.or(kind) {
        Some(entry) => FileError::at(file, entry, problem, remedy),
        None => FileError::within(file, table, problem, remedy),
    }
}

/// The text in backticks after `prefix` at the start of `message`.
fn quoted<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    let rest = message.strip_prefix(prefix)?.strip_prefix('`')?;
    rest.split('`').next()
}

/// The problem and the remedy for a message of serde.
fn translate(message: &str) -> (String, String) {
    if let Some(key) = quoted(message, "unknown field ") {
        return ("is not a known key".to_owned(), choices(key, message));
    }
    if let Some(value) = quoted(message, "unknown variant ") {
        return (
            format!("= \"{}\" is not a valid value", quote(value)),
            choices(value, message),
        );
    }
    if message.starts_with("missing field ") {
        return ("is missing".to_owned(), "add it here".to_owned());
    }
    let found = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "));
    match found.and_then(|rest| rest.split_once(", expected ")) {
        Some((found, expected)) => (
            format!("is {}", quote(&found.replacen("map", "table", 1))),
            format!("write {}", plain(expected)),
        ),
        None => (
            format!("is invalid: {}", quote(message)),
            "correct the value".to_owned(),
        ),
    }
}

/// The remedy for an unknown name: a suggestion from those that serde's message lists.
fn choices(written: &str, message: &str) -> String {
    let offered = message
        .split_once("expected")
        .map_or("", |(_, offered)| offered);
    let known: Vec<&str> = offered.split('`').skip(1).step_by(2).collect();
    suggest(written, &known)
}

/// The description of a type that serde names.
fn plain(expected: &str) -> &str {
    match expected {
        "usize" | "u64" | "u32" => "a whole number, 0 or more",
        "f64" | "f32" => "a number",
        "struct variant" | "map" => "a table",
        "a boolean" | "bool" => "true or false",
        "a sequence" => "a list",
        other if other.starts_with("struct ") || other.starts_with("internally tagged") => {
            "a table"
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message for a block in which `replacement` replaces `original`.
    fn message_of(original: &str, replacement: &str) -> String {
        let text = "kind = \"memory\"\ngate = true\nvalue_dim = 32\n[keys]\nn_keys = 32\nn_heads = 4\ntop_k = 32\n";
        assert!(text.contains(original));
        let table =
            LocatedTable::parse("f.toml", &text.replacen(original, replacement, 1)).unwrap();
        read_block("f.toml", &table).unwrap_err().to_string()
    }

    #[test]
    fn type_errors_name_the_key() {
        let message = message_of("top_k = 32", "top_k = \"32\"");
        assert!(
            message.starts_with("f.toml:7: `keys.top_k` is string \"32\"; write a whole number"),
            "{message}"
        );
        let message = message_of("top_k = 32", "top_k = 1.5");
        assert!(
            message.starts_with("f.toml:7: `keys.top_k` is floating point `1.5`"),
            "{message}"
        );
        let message = message_of("top_k = 32", "top_k = -32");
        assert!(
            message.starts_with("f.toml:7: `keys.top_k` is integer `-32`"),
            "{message}"
        );
        let message = message_of("gate = true", "gate = 32");
        assert!(
            message.starts_with("f.toml:2: `gate` is integer `32`; write true or false"),
            "{message}"
        );
        let message = message_of("n_heads = 4", "n_heads = [4]");
        assert!(
            message.starts_with("f.toml:6: `keys.n_heads` is sequence"),
            "{message}"
        );
        let message = message_of("n_heads = 4", "n_heads = true");
        assert!(
            message.starts_with("f.toml:6: `keys.n_heads` is boolean `true`"),
            "{message}"
        );
    }

    #[test]
    fn errors_of_unknown_keys_and_variants_have_a_suggestion() {
        let message = message_of("n_keys = 32", "n_keys = 32\nn_head = 3");
        assert!(
            message
                .starts_with("f.toml:6: `keys.n_head` is not a known key; did you mean `n_heads`?"),
            "{message}"
        );
        let message = message_of("\"memory\"", "\"memry\"");
        assert!(
            message.starts_with(
                "f.toml:1: `kind` = \"memry\" is not a valid value; did you mean `memory`?"
            ),
            "{message}"
        );
        let message = message_of("gate = true", "score = 3");
        assert!(
            message.starts_with("f.toml:2: `score` is not a known key; choose from: "),
            "{message}"
        );
    }

    #[test]
    fn a_missing_key_is_reported_in_its_section() {
        let message = message_of("n_keys = 32\n", "");
        assert!(
            message.starts_with("f.toml:4: `keys.n_keys` is missing"),
            "{message}"
        );
        let message = message_of("kind = \"memory\"\n", "");
        assert!(message.contains("`kind` is missing"), "{message}");
    }
}
