//! Resolution of a sweep file to a [`Sweep`]: sections are merged, deserialised, and validated against each other.

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
use super::tree::{LocatedEntry, LocatedTable};

/// Name of the folder of probes in the output folder, which is not allowed as the name of a sweep.
pub const RESERVED_NAME: &str = "probes";

/// The top-level keys. Sections are deserialised after they are merged.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TopLevelKeys {
    name: Option<String>,
    seeds: Vec<u64>,
    r#match: MatchSection,
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

/// `match = { ... }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MatchSection {
    mode: Matching,
}

/// The sweep of a file's text.
///
/// # Errors
/// If the text is not TOML, or has an unknown key or an invalid or missing value.
pub fn resolve(file: &str, text: &str) -> Result<Sweep, FileError> {
    let root = LocatedTable::parse(file, text)?;
    let top_level: TopLevelKeys = read(file, &root)?;
    check_seeds(file, &root, &top_level.seeds)?;
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
    let (mut sizes, mut unsolved) = (Vec::new(), Vec::new());
    for (label, own) in root.section("sizes").labelled(file)? {
        let (new_sizes, new_unsolved) = size(file, &root, &data, label, own)?;
        check_labels(file, label, &sizes, &new_sizes)?;
        sizes.extend(new_sizes);
        unsolved.extend(new_unsolved);
    }
    solve_all(file, &mut sizes, &unsolved)?;
    Ok(Sweep {
        name: name(file, &root, top_level.name)?,
        argument: file.to_owned(),
        matching: top_level.r#match.mode,
        seeds: top_level.seeds,
        data,
        sizes,
    })
}

/// Checks that labels are unique: `d64@1e11` may be the label of a section, or follow from a list of budgets of `d64`.
fn check_labels(
    file: &str,
    label: &LocatedEntry,
    sizes: &[Size],
    new: &[Size],
) -> Result<(), FileError> {
    let taken = |new: &&Size| sizes.iter().any(|size| size.name == new.name);
    match new.iter().find(taken) {
        None => Ok(()),
        Some(size) => {
            let problem = format!("defines a second size \"{}\"", size.name);
            Err(FileError::at(file, label, problem, "rename one of them"))
        }
    }
}

fn check_seeds(file: &str, root: &LocatedTable, seeds: &[u64]) -> Result<(), FileError> {
    let distinct: HashSet<_> = seeds.iter().collect();
    if seeds.is_empty() || distinct.len() < seeds.len() {
        let problem = "is empty or lists a seed twice";
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

/// The name of the sweep, `given` or that of the file; it must be a valid name of a folder.
fn name(file: &str, root: &LocatedTable, given: Option<String>) -> Result<String, FileError> {
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
