//! `[blocks.LABEL.solve]`: knobs that no value is written for, because a target sets them.
//!
//! The keys of free knobs are absent from the file. A placeholder lets the block be read; once all sizes are, the knobs
//! are solved for, so that a reference may be anywhere in the file.

use architectures::{Cost, ModelConfig};

use super::error::FileError;
use super::read::read;
use super::suggest::suggest;
use super::sweep::{ModelVariant, Size};
use super::tree::{Entry, Node, Table, join};
use crate::matching::{Knob, Request, solve};

/// A request with its key_path in the file.
#[derive(Clone, Debug)]
pub struct Solve {
    request: Request,
    entry: Entry,
}

/// A variant whose knobs are still placeholders.
#[derive(Clone, Debug)]
pub struct Pending {
    /// Label of its size.
    pub size: String,
    /// Its own label.
    pub block: String,
    /// What it is to become.
    pub solve: Solve,
}

/// Takes `solve` out of a block's table and puts placeholders in for the knobs that it frees.
pub fn take(file: &str, block: &mut Table) -> Result<Option<Solve>, FileError> {
    let Some(entry) = block.take("solve") else {
        return Ok(None);
    };
    let Node::Table(table) = &entry.node else {
        return Err(FileError::at(
            file,
            &entry,
            "is not a table",
            "write it as a section",
        ));
    };
    let request: Request = read(file, table)?;
    let tolerance = request.tolerance;
    if !(tolerance >= 0.0 && tolerance.is_finite()) {
        let problem = format!("= {tolerance} is not a share of 0 or more");
        return Err(FileError::of(
            file,
            table,
            "tolerance",
            problem,
            "0.01 is one percent",
        ));
    }
    let knobs = table.section("knobs");
    for (knob, _) in request.knobs.free() {
        let key_path = path(knob, block, &request);
        let request_entry = knobs.get(&knob.to_string()).unwrap_or(&entry);
        put(file, block, &key_path, request_entry)?;
    }
    Ok(Some(Solve { request, entry }))
}

/// Where a knob's key is in its block's table.
fn path(knob: Knob, block: &Table, request: &Request) -> Vec<&'static str> {
    let keyed = block.get("keys").is_some() || request.knobs.n_keys.is_some();
    match knob {
        Knob::NExperts => vec!["n_experts"],
        Knob::DFf => vec!["d_ff"],
        Knob::NKeys => vec!["keys", "n_keys"],
        Knob::NHeads => vec!["keys", "n_heads"],
        Knob::TopK if keyed => vec!["keys", "top_k"],
        Knob::TopK => vec!["top_k"],
        Knob::Layers => vec!["placement", "centred", "count"],
    }
}

/// Writes a placeholder at `key_path`, in the name of the knob that `request_entry` frees.
fn put(
    file: &str,
    table: &mut Table,
    key_path: &[&str],
    request_entry: &Entry,
) -> Result<(), FileError> {
    let Some((key, rest)) = key_path.split_first() else {
        return Ok(());
    };
    if rest.is_empty() {
        if let Some(given) = table.get(key) {
            let problem = format!("is given, and `{}` frees it", request_entry.path);
            return Err(FileError::at(file, given, problem, "remove one of the two"));
        }
        table.entries.push(Entry {
            key: (*key).to_owned(),
            node: Node::Value(toml::Value::Integer(1)),
            ..request_entry.clone()
        });
        return Ok(());
    }
    if table.get(key).is_none() {
        if *key == "placement" {
            let problem = "needs a centred placement";
            let remedy = "write placement = { centred = { stride = 1 } }";
            return Err(FileError::at(file, request_entry, problem, remedy));
        }
        table.entries.push(Entry {
            key: (*key).to_owned(),
            node: Node::Table(Table {
                path: join(&table.path, key),
                line: request_entry.line,
                entries: Vec::new(),
            }),
            ..request_entry.clone()
        });
    }
    let existing = table.entries.iter_mut().find(|entry| entry.key == *key);
    match existing.map(|entry| &mut entry.node) {
        Some(Node::Table(inner)) => put(file, inner, rest, request_entry),
        _ if *key == "placement" => {
            let remedy = "write placement = { centred = { stride = 1 } }";
            Err(FileError::at(
                file,
                request_entry,
                "needs a centred placement",
                remedy,
            ))
        }
        _ => Ok(()),
    }
}

/// Varies the free knobs of every pending variant.
pub fn solve_all(file: &str, sizes: &mut [Size], pending: &[Pending]) -> Result<(), FileError> {
    let mut solved = Vec::with_capacity(pending.len());
    for one in pending {
        let (reference, cost) = reference(file, sizes, pending, one)?;
        let request = &one.solve.request;
        let model = variant(sizes, &one.size, &one.block).map(|found| found.model.clone());
        let Some(model) = model else { continue };
        let wanted = request.equal.of(&cost);
        let found = solve(&model, request, &reference, wanted).map_err(|error| {
            let message = error.to_string();
            let (problem, remedy) = message.split_once("; ").unwrap_or((&message, "correct it"));
            let problem = format!("at size {}: {problem}", one.size);
            FileError::at(file, &one.solve.entry, problem, remedy)
        })?;
        solved.push(found);
    }
    for (one, (model, matched)) in pending.iter().zip(solved) {
        let unsolved = sizes
            .iter_mut()
            .filter(|size| size.name == one.size)
            .flat_map(|size| &mut size.variants)
            .find(|variant| variant.block == one.block);
        if let Some(variant) = unsolved {
            (variant.model, variant.matched) = (model, Some(matched));
        }
    }
    Ok(())
}

fn variant<'a>(sizes: &'a [Size], size: &str, block: &str) -> Option<&'a ModelVariant> {
    let size = sizes.iter().find(|candidate| candidate.name == size)?;
    size.variants.iter().find(|variant| variant.block == block)
}

/// What the request compares with, in words, and its cost.
fn reference(
    file: &str,
    sizes: &[Size],
    pending: &[Pending],
    one: &Pending,
) -> Result<(String, Cost), FileError> {
    let Solve { request, entry } = &one.solve;
    let Node::Table(table) = &entry.node else {
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
        let problem = format!("= \"{at}\" is not a size");
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
    let dense = ModelConfig {
        decoder: size.decoder.clone(),
        blocks: Vec::new(),
    };
    let model = match variant(sizes, at, label) {
        Some(variant) => {
            if pending
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
            let problem = format!("= \"{label}\" is no block at size {at}");
            let remedy = suggest(label, &labels);
            return Err(FileError::of(file, table, "reference", problem, remedy));
        }
    };
    let cost = model
        .cost()
        .map_err(|error| FileError::shape(file, &[table], error))?;
    Ok((name, cost))
}
