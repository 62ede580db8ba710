//! From a table to a type, or to one message that names the key.

use serde::de::DeserializeOwned;

use super::blame::{Fault, blame, quoted};
use super::error::FileError;
use super::tree::{Table, join};

/// Reads `table` as a `T`.
pub fn read<T: DeserializeOwned>(file: &str, table: &Table) -> Result<T, FileError> {
    let attempt = |table: &Table| T::deserialize(toml::Value::Table(table.to_toml()));
    let complaint = |table: &Table| attempt(table).err().map(|error| error.message().to_owned());
    attempt(table).map_err(|error| {
        let message = error.message();
        let (problem, remedy) = translate(message);
        match blame(table, message, &complaint) {
            Fault::Entry(entry) => FileError::at(file, &entry, problem, remedy),
            Fault::Missing(lacking) => {
                let key = quoted(message, "missing field ").unwrap_or_default();
                let path = join(&lacking.path, key);
                FileError::within(file, &Table { path, ..lacking }, problem, remedy)
            }
            Fault::Whole => FileError::within(file, table, problem, remedy),
        }
    })
}

/// Serde's words as a problem and a remedy.
fn translate(message: &str) -> (String, String) {
    if let Some(key) = quoted(message, "unknown field ") {
        return ("is not a known key".to_owned(), choices(key, message));
    }
    if let Some(value) = quoted(message, "unknown variant ") {
        return (
            format!("= \"{value}\" is not a choice"),
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
            format!("is {}", found.replace("map", "table")),
            format!("write {}", plain(expected)),
        ),
        None => (format!("is refused: {message}"), "correct it".to_owned()),
    }
}

/// The choices that serde's message lists.
fn choices(written: &str, message: &str) -> String {
    let offered = message
        .split_once("expected")
        .map_or("", |(_, offered)| offered);
    let known: Vec<&str> = offered.split('`').skip(1).step_by(2).collect();
    suggest(written, &known)
}

/// "did you mean" where something is near, and all there is to choose from.
pub fn suggest(written: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(word, written), word))
        .min()
        .filter(|(distance, word)| *distance <= 1.max(word.len().min(written.len()) / 3));
    let hint = near.map_or(String::new(), |(_, word)| {
        format!("did you mean `{word}`? ")
    });
    if known.is_empty() {
        return format!("{hint}remove it");
    }
    format!("{hint}choose from: {}", known.join(", "))
}

/// Rust's type names in words.
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
    use architectures::BlockConfig;

    /// The message for a block that has `change` in place of the line `instead`.
    fn complaint(instead: &str, change: &str) -> String {
        let text = "kind = \"memory\"\ngate = true\nvalue_dim = 32\n[keys]\nn_keys = 32\nn_heads = 4\ntop_k = 32\n";
        assert!(text.contains(instead));
        let table = Table::parse("f.toml", &text.replacen(instead, change, 1)).unwrap();
        read::<BlockConfig>("f.toml", &table)
            .unwrap_err()
            .to_string()
    }

    #[test]
    fn the_place_survives_the_tagged_enum() {
        let message = complaint("top_k = 32", "top_k = \"32\"");
        assert!(
            message.starts_with("f.toml:7: `keys.top_k` is string \"32\"; write a whole number"),
            "{message}"
        );
        let message = complaint("top_k = 32", "top_k = 1.5");
        assert!(
            message.starts_with("f.toml:7: `keys.top_k` is floating point `1.5`"),
            "{message}"
        );
        let message = complaint("top_k = 32", "top_k = -32");
        assert!(
            message.starts_with("f.toml:7: `keys.top_k` is integer `-32`"),
            "{message}"
        );
        let message = complaint("gate = true", "gate = 32");
        assert!(
            message.starts_with("f.toml:2: `gate` is integer `32`; write true or false"),
            "{message}"
        );
        let message = complaint("n_heads = 4", "n_heads = [4]");
        assert!(
            message.starts_with("f.toml:6: `keys.n_heads` is sequence"),
            "{message}"
        );
        let message = complaint("n_heads = 4", "n_heads = true");
        assert!(
            message.starts_with("f.toml:6: `keys.n_heads` is boolean `true`"),
            "{message}"
        );
    }

    #[test]
    fn unknown_keys_and_choices_get_a_suggestion() {
        let message = complaint("n_keys = 32", "n_keys = 32\nn_head = 3");
        assert!(
            message
                .starts_with("f.toml:6: `keys.n_head` is not a known key; did you mean `n_heads`?"),
            "{message}"
        );
        let message = complaint("\"memory\"", "\"memry\"");
        assert!(
            message.starts_with(
                "f.toml:1: `kind` = \"memry\" is not a choice; did you mean `memory`?"
            ),
            "{message}"
        );
        let message = complaint("gate = true", "score = 3");
        assert!(
            message.starts_with("f.toml:2: `score` is not a known key; choose from: "),
            "{message}"
        );
    }

    #[test]
    fn a_missing_key_is_missed_where_it_belongs() {
        let message = complaint("n_keys = 32\n", "");
        assert!(
            message.starts_with("f.toml:4: `keys.n_keys` is missing"),
            "{message}"
        );
        let message = complaint("kind = \"memory\"\n", "");
        assert!(message.contains("`kind` is missing"), "{message}");
    }
}
