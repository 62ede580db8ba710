//! Resolution of a sweep file to a [`Sweep`]: sections are merged, deserialised, and validated against each other.

use std::collections::HashSet;

use architectures::ConfigError;
use serde::Deserialize;

use super::decide::{DecidedBy, decide};
use super::error::FileError;
use super::labels::{check_labels, name};
use super::matching::{MatchSection, Matching};
use super::overrides::Override;
use super::read::read;
use super::size::size;
use super::solve::solve_all;
use super::suites::data;
use super::sweep::{Size, Sweep};
use super::tasks::tasks;
use super::tree::{LocatedEntry, LocatedNode, LocatedTable};
use super::tune::tune;
use crate::budget::TrainingBudget;

/// Largest number of seeds.
const MAX_SEEDS: usize = 1000;

/// Largest number of runs of a plan.
const MAX_RUNS: usize = 10_000;

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
    #[serde(rename = "suites", default)]
    _suites: toml::Table,
    #[serde(rename = "corpus", default)]
    _corpus: toml::Table,
    #[serde(rename = "tokenizer", default)]
    _tokenizer: toml::Table,
    #[serde(rename = "training")]
    _training: toml::Table,
    #[serde(rename = "tune", default)]
    _tune: toml::Table,
    #[serde(rename = "decide", default)]
    _decide: toml::Table,
    #[serde(rename = "tasks", default)]
    _tasks: toml::Table,
}

/// The sweep of a file's text, with the keys of `overrides` in place of the file's own.
///
/// # Errors
/// If the text is not TOML, or has an unknown key or an invalid or missing value.
pub fn resolve(file: &str, text: &str, overrides: &[Override]) -> Result<Sweep, FileError> {
    let mut root = LocatedTable::parse(file, text)?;
    for given in overrides {
        given.apply(file, &mut root)?;
    }
    let top_level: TopLevelKeys = read(file, &root)?;
    check_seeds(file, &root, &top_level.seeds)?;
    for key in ["sizes", "blocks"] {
        check_labels(file, &root, key)?;
    }
    let name = name(file, &root, top_level.name)?;
    let (data, fresh_facts) = data(file, &root)?;
    let in_match = |error| FileError::config(file, &[&root.section("match"), &root], error);
    let matching = top_level.r#match.resolve(&data.suites).map_err(in_match)?;
    if data.is_mixture() && matches!(matching, Matching::Facts(_)) {
        let problem = "= \"facts\" counts the tokens of suites alone";
        let remedy = "write \"flops\" or \"tokens\", or remove `corpus` and `tokenizer`";
        return Err(FileError::of(
            file,
            &root.section("match"),
            "mode",
            problem,
            remedy,
        ));
    }
    let split = top_level.r#match.split().map_err(in_match)?;
    let (mut sizes, mut unsolved) = (Vec::new(), Vec::new());
    let (mut labels, mut runs) = (Vec::new(), 0);
    let section = root.section("sizes");
    for (label, own) in section.labelled(file)? {
        let (new_sizes, new_unsolved) = size(file, &root, &data, label, own)?;
        check_distinct(file, label, &sizes, &new_sizes)?;
        let variants: usize = new_sizes.iter().map(|size| size.variants.len()).sum();
        runs += variants * top_level.seeds.len();
        check_runs(file, label, runs)?;
        labels.extend(new_sizes.iter().map(|_| label));
        sizes.extend(new_sizes);
        unsolved.extend(new_unsolved);
    }
    solve_all(file, &mut sizes, &unsolved)?;
    for (label, size) in labels.into_iter().zip(&sizes) {
        check_budgets(file, label, size, matching)?;
    }
    let decide = decide(file, &root, top_level.seeds.len(), &sizes)?;
    if let (Some(decide), true) = (&decide, data.suites.is_empty())
        && decide.quantity != DecidedBy::ValidationLoss
    {
        let problem = "is a quantity of suites, and there are none";
        let remedy = "write \"validation_loss\", or add a suite";
        return Err(FileError::of(
            file,
            &root.section("decide"),
            "quantity",
            problem,
            remedy,
        ));
    }
    let further = decide
        .iter()
        .flat_map(|decide| decide.further(&top_level.seeds));
    let seeds: Vec<u64> = top_level.seeds.iter().copied().chain(further).collect();
    let corpora: Vec<&str> = data.corpora.keys().map(String::as_str).collect();
    let tasks = tasks(file, &root, &corpora)?;
    let tune = tune(file, &root, (&data, fresh_facts), &seeds, &sizes)?;
    Ok(Sweep {
        name,
        argument: file.to_owned(),
        overrides: overrides.to_vec(),
        matching,
        split,
        seeds: top_level.seeds,
        data,
        fresh_facts,
        sizes,
        tune,
        decide,
        tasks,
    })
}

/// Checks that labels are unique: `d64@1e11` may be the label of a section, or follow from a list of budgets of `d64`.
fn check_distinct(
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

/// Checks the number of runs up to the section `label`.
fn check_runs(file: &str, label: &LocatedEntry, runs: usize) -> Result<(), FileError> {
    if runs <= MAX_RUNS {
        return Ok(());
    }
    let problem = format!("brings the plan to {runs} runs, more than {MAX_RUNS}");
    let remedy = "divide the sweep into several files";
    Err(FileError::at(file, label, problem, remedy))
}

/// Checks the cost and the length of every run of `size`, of the section `label`.
fn check_budgets(
    file: &str,
    label: &LocatedEntry,
    size: &Size,
    matching: Matching,
) -> Result<(), FileError> {
    let LocatedNode::Table(table) = &label.node else {
        return Ok(());
    };
    let located = |error| FileError::config(file, &[table], error);
    let dense = size.dense().cost().map_err(located)?;
    for variant in &size.variants {
        let cost = variant.model.cost().map_err(located)?;
        let budget = TrainingBudget::new(matching, &dense, &cost, size.budget, size.batch_tokens());
        let key = if table.get("flops").is_some() {
            "flops"
        } else {
            "tokens"
        };
        let error =
            |error: ConfigError| FileError::of(file, table, key, error.problem, error.remedy);
        budget.check().map_err(error)?;
    }
    Ok(())
}

fn check_seeds(file: &str, root: &LocatedTable, seeds: &[u64]) -> Result<(), FileError> {
    if seeds.len() > MAX_SEEDS {
        let problem = format!("lists {} seeds, more than {MAX_SEEDS}", seeds.len());
        return Err(FileError::of(file, root, "seeds", problem, "list fewer"));
    }
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
