//! One argument of `isoflop compare`, taken apart.

use std::path::{Path, PathBuf};

use results::RunRow;

use crate::record::folders::Folders;

/// Where to look, and for what.
#[derive(Debug, PartialEq, Eq)]
pub struct Selector {
    pub source: RunSource,
    pub filter: RowPattern,
}

/// Where runs are.
#[derive(Debug, PartialEq, Eq)]
pub enum RunSource {
    /// A folder of tables.
    Folder(PathBuf),
    /// A sweep under the output folder.
    Sweep(String),
    /// The beginning of a run's name.
    Run(String),
}

/// A part of a sweep; an absent part matches any.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct RowPattern {
    size: Option<String>,
    block: Option<String>,
    seed: Option<u64>,
}

impl RowPattern {
    pub fn fits(&self, row: &RunRow) -> bool {
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
            return Err("is not SIZE, SIZE/BLOCK or SIZE/BLOCK/SEED after its colon".to_owned());
        }
        let part = |index: usize| parts.get(index).copied().flatten();
        let seed = part(2).map(str::parse).transpose();
        Ok(Self {
            size: part(0).map(str::to_owned),
            block: part(1).map(str::to_owned),
            seed: seed.map_err(|_| "has a seed that is no whole number".to_owned())?,
        })
    }
}

impl Selector {
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

/// The folder of tables that `path` is or holds.
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
    fn an_argument_is_a_folder_a_sweep_or_a_run() {
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
    fn parts_are_labels_or_any() {
        let part = RowPattern::parse("*/memory+/3").unwrap();
        assert_eq!(
            (part.size, part.block.as_deref(), part.seed),
            (None, Some("memory+"), Some(3))
        );
        assert_eq!(RowPattern::parse("l").unwrap().block, None);
        for wrong in ["", "l/", "l/dense/x", "l/dense/0/1"] {
            assert!(RowPattern::parse(wrong).is_err(), "{wrong}");
        }
        let absent = Selector::parse("absent:l", Path::new("nowhere"));
        assert!(
            absent
                .unwrap_err()
                .contains("no records of a sweep `absent`")
        );
    }
}
