//! `[blocks.LABEL] sizes = [...]`: the sizes of a block.

use super::error::{FileError, quoted};
use super::suggest::suggest;
use super::tree::{LocatedNode, LocatedTable};

/// Whether the block of `table` is in the sweep at `size`, one of `sizes`: at all sizes unless its key `sizes` lists
/// some. The key is removed from the table.
///
/// # Errors
/// If the value of the key is not a non-empty list of distinct labels of sizes.
pub fn includes_size(
    file: &str,
    table: &mut LocatedTable,
    size: &str,
    sizes: &[&str],
) -> Result<bool, FileError> {
    let Some(entry) = table.take("sizes") else {
        return Ok(true);
    };
    let remedy = "list labels of sizes, each once, such as [\"s\"]";
    let error = |problem: &str| FileError::at(file, &entry, problem, remedy);
    let LocatedNode::Value(toml::Value::Array(listed)) = &entry.node else {
        return Err(error("is not a list"));
    };
    let labels: Vec<&str> = listed.iter().filter_map(toml::Value::as_str).collect();
    if labels.is_empty() || labels.len() < listed.len() {
        return Err(error("is not a list of labels"));
    }
    for (at, label) in labels.iter().enumerate() {
        if !sizes.contains(label) {
            let problem = format!("lists \"{}\", which is not a size", quoted(label));
            return Err(FileError::at(file, &entry, problem, suggest(label, sizes)));
        }
        if labels[..at].contains(label) {
            return Err(error("lists a size twice"));
        }
    }
    Ok(labels.contains(&size))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_included(sizes: &str, at: &str) -> Result<bool, String> {
        let text = format!("kind = \"dense\"\n{sizes}\n");
        let mut table = LocatedTable::parse("f.toml", &text).unwrap();
        let is_included = includes_size("f.toml", &mut table, at, &["s", "1.3b"]);
        assert!(table.get("sizes").is_none() || is_included.is_err());
        is_included.map_err(|error| error.to_string())
    }

    #[test]
    fn a_block_is_at_all_sizes_or_at_those_listed() {
        assert_eq!(is_included("", "s"), Ok(true));
        assert_eq!(is_included("sizes = [\"1.3b\"]", "1.3b"), Ok(true));
        assert_eq!(is_included("sizes = [\"1.3b\"]", "s"), Ok(false));
    }

    #[test]
    fn invalid_lists_are_errors() {
        let message = |sizes| is_included(sizes, "s").unwrap_err();
        assert!(message("sizes = [\"1.3B\"]").contains(
            "f.toml:2: `sizes` lists \"1.3B\", which is not a size; did you mean `1.3b`?"
        ));
        assert!(message("sizes = []").contains("is not a list of labels"));
        assert!(message("sizes = [1]").contains("is not a list of labels"));
        assert!(message("sizes = \"s\"").contains("is not a list;"));
        assert!(message("sizes = [\"s\", \"s\"]").contains("twice"));
    }
}
