//! Parsing of TOML text to a [`LocatedTable`].

use serde::Deserialize;
use toml::de::{DeTable, DeValue, ValueDeserializer};

use super::error::FileError;
use super::tree::{LineNumber, LocatedEntry, LocatedNode, LocatedTable, Position, join};

/// Most opening brackets of a file. On invalid text the parser recurses at each of them, in spite of its own bound.
const MAX_BRACKETS: usize = 10_000;
/// Stack of the thread that parses, in bytes: four times what the parser takes for so many, which was measured.
const STACK: usize = MAX_BRACKETS * 5 * 1024;

impl LocatedTable {
    /// The table of a file's text.
    ///
    /// # Errors
    /// If the text is not TOML, has a duplicate key or too many brackets.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        let mut brackets = text.match_indices(['[', '{']);
        if let Some((at, _)) = brackets.nth(MAX_BRACKETS) {
            let line = 1 + text[..at].matches('\n').count();
            let problem = format!("more than {MAX_BRACKETS} brackets");
            return Err(FileError::syntax(file, line, "", &problem));
        }
        let parsed = std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().stack_size(STACK);
            let parser = thread.spawn_scoped(scope, || Self::parse_recursively(file, text));
            parser.map(|parser| parser.join())
        });
        match parsed {
            Ok(Ok(table)) => table,
            Ok(Err(panic)) => std::panic::resume_unwind(panic),
            Err(error) => Err(FileError::syntax(
                file,
                1,
                "",
                &format!("no thread to parse it: {error}"),
            )),
        }
    }

    fn parse_recursively(file: &str, text: &str) -> Result<Self, FileError> {
        let feeds: Vec<usize> = text.match_indices('\n').map(|(at, _)| at).collect();
        let line_of = |at: usize| 1 + feeds.partition_point(|feed| *feed < at);
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
        table(
            String::new(),
            Position::Line(1),
            root.into_inner(),
            &line_of,
        )
        .map_err(syntax_error)
    }

    /// The entries of a section of labelled tables, each with its table.
    ///
    /// # Errors
    /// If the value of an entry is not a table.
    pub fn labelled(&self, file: &str) -> Result<Vec<(&LocatedEntry, Self)>, FileError> {
        let mut labelled = Vec::with_capacity(self.entries.len());
        for label in &self.entries {
            let LocatedNode::Table(table) = &label.node else {
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

/// The table at `path`, with the positions of its keys.
fn table(
    path: String,
    position: Position,
    parsed: DeTable,
    line_of: &dyn Fn(usize) -> LineNumber,
) -> Result<LocatedTable, toml::de::Error> {
    let mut parsed: Vec<_> = parsed.into_iter().collect();
    parsed.sort_by_key(|(key, _)| key.span().start);
    let mut entries = Vec::with_capacity(parsed.len());
    for (key, value) in parsed {
        let (position, key) = (
            Position::Line(line_of(key.span().start)),
            key.into_inner().into_owned(),
        );
        let path = join(&path, &key);
        let node = if value.get_ref().is_table() {
            match value.into_inner() {
                DeValue::Table(inner) => {
                    LocatedNode::Table(table(path.clone(), position, inner, line_of)?)
                }
                _ => continue,
            }
        } else {
            LocatedNode::Value(toml::Value::deserialize(ValueDeserializer::from(value))?)
        };
        entries.push(LocatedEntry {
            key,
            path,
            position,
            node,
        });
    }
    Ok(LocatedTable {
        path,
        position,
        entries,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "b = 1\n[z]\nx = 1\ny = { k = 2, top = [1, 2] }\n[a]\nx = 3\n[over.y]\nk = 9\n";

    #[test]
    fn keys_have_their_line_and_are_in_the_order_of_the_file() {
        let tree = LocatedTable::parse("f", TEXT).unwrap();
        let keys: Vec<_> = tree
            .entries
            .iter()
            .map(|e| (e.key.as_str(), e.position))
            .collect();
        let at = Position::Line;
        assert_eq!(
            keys,
            [("b", at(1)), ("z", at(2)), ("a", at(5)), ("over", at(7))]
        );
        let k = tree.find("k").unwrap();
        assert_eq!((k.path.as_str(), k.position), ("z.y.k", at(4)));
    }

    #[test]
    fn a_merge_is_recursive_and_has_the_lines_of_the_merged_values() {
        let tree = LocatedTable::parse("f", TEXT).unwrap();
        let merged = tree.section("z").merged(tree.section("over"));
        assert_eq!(merged.find("k").unwrap().position, Position::Line(8));
        assert_eq!(
            merged.to_toml().to_string(),
            "x = 1\n\n[y]\nk = 9\ntop = [1, 2]\n"
        );
    }

    #[test]
    fn the_error_of_a_duplicate_key_has_its_second_line() {
        let message = LocatedTable::parse("f.toml", "[a]\nx = 1\ny = 2\nx = 3\n")
            .unwrap_err()
            .to_string();
        assert!(message.starts_with("f.toml:4: `x`"), "{message}");
        assert!(message.contains("duplicate"), "{message}");
        assert!(
            LocatedTable::parse("f.toml", "[a]\n[b]\n[a]\n")
                .unwrap_err()
                .to_string()
                .starts_with("f.toml:3")
        );
    }
}
