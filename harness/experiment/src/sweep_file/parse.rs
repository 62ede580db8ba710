//! From TOML text to a [`Table`] whose every key knows its line.

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::FileError;
use super::tree::{Entry, Line, Node, Table, join};

impl Table {
    /// Parses a file's text. Syntax errors and duplicate keys are found here.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        let line_of = |at: usize| 1 + text[..at.min(text.len())].matches('\n').count();
        let syntax_error = |error: toml::de::Error| {
            let span = error.span().unwrap_or(0..0);
            FileError::syntax(
                file,
                line_of(span.start),
                text.get(span).unwrap_or(""),
                error.message(),
            )
        };
        let root = DeTable::parse(text).map_err(syntax_error)?;
        table(String::new(), 1, root.into_inner(), &line_of).map_err(syntax_error)
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
