//! `[blocks.LABEL.solve]`: knobs whose values are solved for.
//!
//! The keys of free knobs are absent from the file. The block is deserialised with placeholder values; the knobs are
//! solved for after all sizes, so that a reference may be anywhere in the file.

use architectures::{BlockConfig, Cost};

use super::error::{FileError, quoted};
use super::read::read;
use super::suggest::suggest;
use super::sweep::{ModelVariant, Size};
use super::tree::{LocatedEntry, LocatedNode, LocatedTable, join};
use crate::matching::{Knob, SolveRequest, solve};

/// A request with its entry in the file.
#[derive(Clone, Debug)]
pub struct LocatedRequest {
    request: SolveRequest,
    entry: LocatedEntry,
}

/// A variant with placeholder values of knobs.
#[derive(Clone, Debug)]
pub struct UnsolvedVariant {
    /// Label of its size.
    pub size: String,
    /// Its own label.
    pub block: String,
    /// Its request.
    pub solve: LocatedRequest,
}

/// Removes `solve` from a block's table and inserts placeholders for its free knobs; `None` if the key is absent.
///
/// # Errors
/// If the request is invalid, or a free knob has a value.
pub fn take(file: &str, block: &mut LocatedTable) -> Result<Option<LocatedRequest>, FileError> {
    let Some(entry) = block.take("solve") else {
        return Ok(None);
    };
    let LocatedNode::Table(table) = &entry.node else {
        return Err(FileError::at(
            file,
            &entry,
            "is not a table",
            "write it as a section",
        ));
    };
    let request: SolveRequest = read(file, table)?;
    let tolerance = request.tolerance;
    if !(tolerance >= 0.0 && tolerance.is_finite()) {
        let problem = format!("= {tolerance} is not a finite number of 0 or more");
        return Err(FileError::of(
            file,
            table,
            "tolerance",
            problem,
            "write a fraction, such as 0.01 for one percent",
        ));
    }
    let knobs = table.section("knobs");
    // Without a valid kind, reading the block is the error.
    let kind = match block.get("kind").map(|entry| &entry.node) {
        Some(LocatedNode::Value(toml::Value::String(kind))) => kind.clone(),
        _ => return Ok(Some(LocatedRequest { request, entry })),
    };
    if !BlockConfig::KINDS.contains(&kind.as_str()) {
        return Ok(Some(LocatedRequest { request, entry }));
    }
    let free = request.knobs.of_kind(&kind).map_err(|name| {
        let known = Knob::of_kind(&kind);
        let known: Vec<&str> = known.iter().map(|knob| knob.name()).collect();
        let problem = format!("is not a knob of the kind \"{kind}\"");
        FileError::at(
            file,
            knobs.get(&name).unwrap_or(&entry),
            problem,
            suggest(&name, &known),
        )
    })?;
    for (knob, _) in free {
        let request_entry = knobs.get(knob.name()).unwrap_or(&entry);
        insert_placeholder(file, block, knob.path(), request_entry)?;
    }
    Ok(Some(LocatedRequest { request, entry }))
}

/// Inserts a placeholder at `key_path`, with the position of `request_entry`.
///
/// # Errors
/// If the key has a value, or the placement is not centred and the knob requires it.
fn insert_placeholder(
    file: &str,
    table: &mut LocatedTable,
    key_path: &[&str],
    request_entry: &LocatedEntry,
) -> Result<(), FileError> {
    let Some((key, rest)) = key_path.split_first() else {
        return Ok(());
    };
    if rest.is_empty() {
        if let Some(given) = table.get(key) {
            let problem = format!("is given, but `{}` solves for it", request_entry.path);
            return Err(FileError::at(file, given, problem, "remove one of the two"));
        }
        table.entries.push(LocatedEntry {
            key: (*key).to_owned(),
            node: LocatedNode::Value(toml::Value::Integer(1)),
            ..request_entry.clone()
        });
        return Ok(());
    }
    if table.get(key).is_none() {
        if *key == "placement" {
            let problem = "requires a centred placement";
            let remedy = "write placement = { centred = { stride = 1 } }";
            return Err(FileError::at(file, request_entry, problem, remedy));
        }
        table.entries.push(LocatedEntry {
            key: (*key).to_owned(),
            node: LocatedNode::Table(LocatedTable {
                path: join(&table.path, key),
                position: request_entry.position,
                entries: Vec::new(),
            }),
            ..request_entry.clone()
        });
    }
    let existing = table.entries.iter_mut().find(|entry| entry.key == *key);
    match existing.map(|entry| &mut entry.node) {
        Some(LocatedNode::Table(inner)) => insert_placeholder(file, inner, rest, request_entry),
        _ if *key == "placement" => {
            let remedy = "write placement = { centred = { stride = 1 } }";
            Err(FileError::at(
                file,
                request_entry,
                "requires a centred placement",
                remedy,
            ))
        }
        _ => Ok(()),
    }
}

/// Solves for the free knobs of every unsolved variant and replaces the variants in `sizes`.
///
/// # Errors
/// If a reference is unknown or itself solved for, or a request has no solution.
pub fn solve_all(
    file: &str,
    sizes: &mut [Size],
    unsolved: &[UnsolvedVariant],
) -> Result<(), FileError> {
    let mut solved = Vec::with_capacity(unsolved.len());
    for one in unsolved {
        let (reference, cost) = reference(file, sizes, unsolved, one)?;
        let request = &one.solve.request;
        let model = variant(sizes, &one.size, &one.block).map(|found| found.model.clone());
        let Some(model) = model else { continue };
        let wanted = request.equal.of(&cost);
        let found = solve(&model, request, &reference, wanted).map_err(|error| {
            let message = error.to_string();
            let (problem, remedy) = message
                .split_once("; ")
                .unwrap_or((&message, "change the request"));
            let problem = format!("at size {}: {problem}", one.size);
            FileError::at(file, &one.solve.entry, problem, remedy)
        })?;
        solved.push(found);
    }
    for (one, (model, matched)) in unsolved.iter().zip(solved) {
        let placeholder = sizes
            .iter_mut()
            .filter(|size| size.name == one.size)
            .flat_map(|size| &mut size.variants)
            .find(|variant| variant.block == one.block);
        if let Some(variant) = placeholder {
            (variant.model, variant.matched) = (model, Some(matched));
        }
    }
    Ok(())
}

fn variant<'a>(sizes: &'a [Size], size: &str, block: &str) -> Option<&'a ModelVariant> {
    let size = sizes.iter().find(|candidate| candidate.name == size)?;
    size.variants.iter().find(|variant| variant.block == block)
}

/// The description of the reference, `BLOCK at SIZE`, and its cost.
fn reference(
    file: &str,
    sizes: &[Size],
    unsolved: &[UnsolvedVariant],
    one: &UnsolvedVariant,
) -> Result<(String, Cost), FileError> {
    let LocatedRequest { request, entry } = &one.solve;
    let LocatedNode::Table(table) = &entry.node else {
        return Err(FileError::at(
            file,
            entry,
            "is not a table",
            "write it as a section",
        ));
    };
    let at = request.reference_size.as_ref().unwrap_or(&one.size);
    let Some(size) = sizes.iter().find(|size| &size.name == at) else {
        let labels: Vec<&str> = sizes.iter().map(|size| size.name.as_str()).collect();
        let problem = format!("= \"{}\" is not a size", quoted(at));
        let remedy = suggest(at, &labels);
        return Err(FileError::of(
            file,
            table,
            "reference_size",
            problem,
            remedy,
        ));
    };
    let label = &request.reference;
    let name = format!("{label} at {at}");
    let dense = size.dense();
    let model = match variant(sizes, at, label) {
        Some(variant) => {
            if unsolved
                .iter()
                .any(|other| &other.size == at && &other.block == label)
            {
                let problem = format!("= \"{label}\" is itself solved for");
                let remedy = "choose a block whose keys are all given";
                return Err(FileError::of(file, table, "reference", problem, remedy));
            }
            &variant.model
        }
        None if label == "dense" => &dense,
        None => {
            let mut labels: Vec<&str> = size.variants.iter().map(|b| b.block.as_str()).collect();
            labels.retain(|other| other != &one.block || at != &one.size);
            let problem = format!("= \"{}\" is not a block at size {at}", quoted(label));
            let remedy = suggest(label, &labels);
            return Err(FileError::of(file, table, "reference", problem, remedy));
        }
    };
    let cost = model
        .cost()
        .map_err(|error| FileError::config(file, &[table], error))?;
    Ok((name, cost))
}
