//! Parsing of one argument of `isoflop compare`.

use std::path::{Path, PathBuf};

use results::RunRow;

use crate::record::folders::Folders;

/// A parsed argument.
#[derive(Debug, PartialEq, Eq)]
pub struct Selector {
    pub source: RunSource,
    pub filter: RowPattern,
}

/// The source of runs.
#[derive(Debug, PartialEq, Eq)]
pub enum RunSource {
    /// A folder of tables.
    Folder(PathBuf),
    /// A sweep under the output folder.
    Sweep(String),
    /// The prefix of a run's name.
    Run(String),
}

/// A pattern of labels; an absent label matches any.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RowPattern {
    size: Option<String>,
    block: Option<String>,
    seed: Option<u64>,
}

impl RowPattern {
    /// Whether the labels of `row` match.
    pub fn matches(&self, row: &RunRow) -> bool {
        self.size.as_ref().is_none_or(|size| *size == row.size)
            && self.block.as_ref().is_none_or(|block| *block == row.block)
            && self.seed.is_none_or(|seed| seed == row.seed)
    }

    /// `SIZE`, `SIZE/BLOCK` or `SIZE/BLOCK/SEED`, each part a label or `*`.
    fn parse(text: &str) -> Result<Self, String> {
        let parts: Vec<Option<&str>> = text
            .split('/')
            .map(|part| (part != "*").then_some(part))
            .collect();
        if parts.len() > 3 || parts.contains(&Some("")) {
            return Err(
                "does not have SIZE, SIZE/BLOCK or SIZE/BLOCK/SEED after the colon".to_owned(),
            );
        }
        let part = |index: usize| parts.get(index).copied().flatten();
        let seed = part(2).map(str::parse).transpose();
        Ok(Self {
            size: part(0).map(str::to_owned),
            block: part(1).map(str::to_owned),
            seed: seed.map_err(|_| "has a seed that is not a whole number".to_owned())?,
        })
    }
}

impl Selector {
    /// Parses `argument`; sweeps are searched for under `output`.
    ///
    /// # Errors
    /// The problem, to follow the argument in a message.
    pub fn parse(argument: &str, output: &Path) -> Result<Self, String> {
        let (name, filter) = match argument.split_once(':') {
            Some((name, filter)) => (name, RowPattern::parse(filter)?),
            None => (argument, RowPattern::default()),
        };
        let sweep = Folders::new(output, name);
        let plain = !name.is_empty() && !name.contains(['/', '\\', '.']);
        let source = if let Some(folder) = tables(Path::new(name)) {
            RunSource::Folder(folder)
        } else if plain && sweep.records().is_dir() {
            RunSource::Sweep(name.to_owned())
        } else if argument.contains(':') {
            return Err(format!(
                "has no records of a sweep `{name}` under {}",
                output.display()
            ));
        } else {
            RunSource::Run(name.to_owned())
        };
        Ok(Self { source, filter })
    }
}

/// The folder of tables: `path` or `path/records`; `None` if neither is one.
fn tables(path: &Path) -> Option<PathBuf> {
    let own = path.join("runs").is_dir() && path.file_name().is_some_and(|name| name == "records");
    if own {
        return Some(path.to_owned());
    }
    let inside = path.join("records");
    inside.is_dir().then_some(inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_folders_sweeps_or_prefixes_of_runs() {
        let output = tempfile::tempdir().unwrap();
        let records = output.path().join("quick/records");
        std::fs::create_dir_all(records.join("runs")).unwrap();
        let parse = |text: &str| Selector::parse(text, output.path());
        assert_eq!(
            parse("quick").unwrap().source,
            RunSource::Sweep("quick".into())
        );
        assert_eq!(parse("4f1c").unwrap().source, RunSource::Run("4f1c".into()));
        for path in [output.path().join("quick"), records.clone()] {
            let found = parse(&format!("{}:l", path.display())).unwrap();
            assert_eq!(found.source, RunSource::Folder(records.clone()));
            assert_eq!(found.filter.size.as_deref(), Some("l"));
        }
    }

    #[test]
    fn patterns_are_labels_or_wildcards() {
        let pattern = RowPattern::parse("*/memory+/3").unwrap();
        assert_eq!(
            (pattern.size, pattern.block.as_deref(), pattern.seed),
            (None, Some("memory+"), Some(3))
        );
        assert_eq!(RowPattern::parse("l").unwrap().block, None);
        for invalid in ["", "l/", "l/dense/x", "l/dense/0/1"] {
            assert!(RowPattern::parse(invalid).is_err(), "{invalid}");
        }
        let absent = Selector::parse("absent:l", Path::new("nowhere"));
        assert!(
            absent
                .unwrap_err()
                .contains("no records of a sweep `absent`")
        );
    }
}
