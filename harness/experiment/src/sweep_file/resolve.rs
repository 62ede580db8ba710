//! From a file's tree to a [`Sweep`]: sections are merged, read, and checked against each other.

use std::collections::HashSet;
use std::path::Path;

use serde::Deserialize;

use super::error::FileError;
use super::matching::Matching;
use super::read::read;
use super::size::size;
use super::solve::solve_all;
use super::suites::data;
use super::sweep::{Size, Sweep};
use super::tree::{Entry, Table};

/// The folder of probes under the output folder; no sweep can have this name.
pub const RESERVED_NAME: &str = "probes";

/// The top level: which sections there are. Those given as tables are read once they are merged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    name: Option<String>,
    seeds: Vec<u64>,
    r#match: Match,
    #[serde(rename = "decoder", default)]
    _decoder: toml::Table,
    #[serde(rename = "sizes")]
    _sizes: toml::Table,
    #[serde(rename = "blocks")]
    _blocks: toml::Table,
    #[serde(rename = "suites")]
    _suites: toml::Table,
    #[serde(rename = "training")]
    _training: toml::Table,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Match {
    mode: Matching,
}

/// Reads and checks a whole file.
pub fn resolve(file: &str, text: &str) -> Result<Sweep, FileError> {
    let root = Table::parse(file, text)?;
    let head: Head = read(file, &root)?;
    check_seeds(file, &root, &head.seeds)?;
    for key in ["sizes", "blocks"] {
        if root.section(key).entries.is_empty() {
            return Err(FileError::of(
                file,
                &root,
                key,
                "is empty",
                "add at least one",
            ));
        }
    }
    let data = data(file, &root)?;
    let (mut sizes, mut pending) = (Vec::new(), Vec::new());
    for (label, own) in root.section("sizes").labelled(file)? {
        let (of_label, unsolved) = size(file, &root, &data, label, own)?;
        check_labels(file, label, &sizes, &of_label)?;
        sizes.extend(of_label);
        pending.extend(unsolved);
    }
    solve_all(file, &mut sizes, &pending)?;
    Ok(Sweep {
        name: name(file, &root, head.name)?,
        argument: file.to_owned(),
        matching: head.r#match.mode,
        seeds: head.seeds,
        data,
        sizes,
    })
}

/// `d64@1e11` may be written, and may follow from `d64` with a list of budgets: not both.
fn check_labels(file: &str, label: &Entry, sizes: &[Size], new: &[Size]) -> Result<(), FileError> {
    let taken = |new: &&Size| sizes.iter().any(|size| size.name == new.name);
    match new.iter().find(taken) {
        None => Ok(()),
        Some(size) => {
            let problem = format!("makes a second size \"{}\"", size.name);
            Err(FileError::at(file, label, problem, "rename one of them"))
        }
    }
}

fn check_seeds(file: &str, root: &Table, seeds: &[u64]) -> Result<(), FileError> {
    let distinct: HashSet<_> = seeds.iter().collect();
    if seeds.is_empty() || distinct.len() < seeds.len() {
        let problem = "is empty or names a seed twice";
        return Err(FileError::of(
            file,
            root,
            "seeds",
            problem,
            "list each seed once, such as [0]",
        ));
    }
    Ok(())
}

/// The name given, or the file's own; it will name a folder.
fn name(file: &str, root: &Table, given: Option<String>) -> Result<String, FileError> {
    let stem = || {
        Path::new(file)
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    };
    let name = given.unwrap_or_else(stem);
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    if name.is_empty() || !name.chars().all(plain) {
        let problem = format!("\"{name}\" cannot name a folder");
        return Err(FileError::of(
            file,
            root,
            "name",
            problem,
            "use letters, digits, `-` and `_`",
        ));
    }
    if name == RESERVED_NAME {
        let problem = format!("\"{name}\" is the folder of probes");
        return Err(FileError::of(file, root, "name", problem, "choose another"));
    }
    Ok(name)
}
