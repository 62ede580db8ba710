//! Differences between runs that make a comparison invalid, and those that are warnings.

use super::Model;
use super::items::ItemsByRun;
use crate::{ItemRow, RunRow};

/// Two runs whose numbers are not comparable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field} differs: `{}` in {}, `{}` in {}", .first.1, .first.0, .second.1, .second.0)]
pub struct Mismatch {
    /// What differs.
    pub field: String,
    /// A run and its value.
    pub first: (String, String),
    /// Another run and its value.
    pub second: (String, String),
}

/// A text column of a run.
type OfRun = fn(&RunRow) -> &str;

/// Rejects runs that differ in how FLOPs are counted, in data, in tokenizer or in what they were evaluated on.
pub fn check(runs: &[&RunRow], items_by_run: &ItemsByRun) -> Result<(), Mismatch> {
    let fields: [(&str, OfRun); 3] = [
        ("FLOP convention", |run| &run.flop_convention),
        ("data fingerprint", |run| &run.data_fingerprint),
        ("tokenizer fingerprint", |run| &run.tokenizer_fingerprint),
    ];
    let Some((first, others)) = runs.split_first() else {
        return Ok(());
    };
    for (field, of) in fields {
        for other in others {
            let partner = partner(first, others, other);
            if of(other) != of(partner) {
                return Err(mismatch(
                    field,
                    (partner, of(partner).into()),
                    (other, of(other).into()),
                ));
            }
        }
    }
    // A run need not be evaluated on every suite: each suite is compared with the first run that was.
    let mut evaluated: Vec<(&str, &RunRow, TaskFingerprint)> = Vec::new();
    for run in runs {
        for (suite, items) in items_by_run.suites(run) {
            let tasks = TaskFingerprint::of(items);
            let is_same = |(name, other, _): &&(&str, &RunRow, TaskFingerprint)| {
                *name == suite
                    && (other.seed == run.seed || other.data_fingerprint == run.data_fingerprint)
            };
            match evaluated.iter().find(is_same) {
                Some((_, other, theirs)) if *theirs != tasks => {
                    let field = format!("task fingerprint of {suite}");
                    return Err(mismatch(
                        &field,
                        (other, theirs.to_string()),
                        (run, tasks.to_string()),
                    ));
                }
                Some(_) => {}
                None => evaluated.push((suite, run, tasks)),
            }
        }
    }
    Ok(())
}

/// The run whose data must be those of `run`: the first with its seed, as seeds may have facts of their own. A seed that one model
/// alone has is held to the first run, unless that is of the same model.
fn partner<'a>(first: &'a RunRow, others: &[&'a RunRow], run: &'a RunRow) -> &'a RunRow {
    let model = |run: &'a RunRow| (&run.sweep, &run.size, &run.block);
    let mut all = std::iter::once(&first).chain(others);
    match all.find(|other| other.seed == run.seed) {
        Some(other) if other.run != run.run => other,
        _ if model(first) == model(run) => run,
        _ => first,
    }
}

fn mismatch(field: &str, first: (&RunRow, String), second: (&RunRow, String)) -> Mismatch {
    let named = |(run, value): (&RunRow, String)| {
        let RunRow {
            sweep,
            size,
            block,
            seed,
            run,
            ..
        } = run;
        (format!("{sweep}:{size}/{block}/{seed} ({run})"), value)
    };
    Mismatch {
        field: field.into(),
        first: named(first),
        second: named(second),
    }
}

/// Hash of the items of a suite and their expected answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct TaskFingerprint {
    items: usize,
    hash: u64,
}

impl TaskFingerprint {
    /// The fingerprint of items in the order of their rows.
    fn of(items: &[&ItemRow]) -> Self {
        // FNV-1a: it is only compared within one table. Zero bytes end each part.
        let bytes = items.iter().flat_map(|item| {
            let parts = [&item.task, &item.item, &item.expected];
            parts.into_iter().flat_map(|part| part.bytes().chain([0]))
        });
        let hash = bytes.fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
        });
        Self {
            items: items.len(),
            hash,
        }
    }
}

impl std::fmt::Display for TaskFingerprint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}, {} items", self.hash, self.items)
    }
}

/// Differences within a group beside the block: not errors, since they can be the subject of the comparison.
pub fn warnings(models: &[Model]) -> Vec<String> {
    let Some((first, others)) = models.split_first() else {
        return Vec::new();
    };
    let differing = |same: &dyn Fn(&RunRow, &RunRow) -> bool| -> Vec<&str> {
        let odd = |model: &&Model| !same(first.first(), model.first());
        others
            .iter()
            .filter(odd)
            .map(|model| model.label.as_str())
            .collect()
    };
    let seeds = |model: &Model| model.runs.iter().map(|run| run.seed).collect::<Vec<_>>();
    let mut warnings = Vec::new();
    let mut tell = |what: &str, models: Vec<&str>| {
        if !models.is_empty() {
            warnings.push(format!("{} {what} {}", models.join(", "), first.label));
        }
    };
    tell(
        "had other training settings than",
        differing(&|a, b| training_settings(&a.config) == training_settings(&b.config)),
    );
    tell(
        "is of another size than",
        differing(&|a, b| a.size == b.size),
    );
    tell(
        "ran on another device or with other threads (so speed and memory do not compare) than",
        differing(&|a, b| a.device == b.device && a.threads == b.threads),
    );
    let uneven = others.iter().filter(|model| seeds(model) != seeds(first));
    tell(
        "has other seeds (differences are over the shared ones) than",
        uneven.map(|model| model.label.as_str()).collect(),
    );
    warnings
}

/// The lines of `[training]` and of what is nested in it, in a resolved configuration, without the settings that were searched for
/// each block (`tuned = [...]`).
pub fn training_settings(config: &str) -> Vec<&str> {
    let mut inside = false;
    let tuned = config.lines().find(|line| line.starts_with("tuned = "));
    let is_tuned = |line: &str| {
        let key = line.split(" =").next().unwrap_or_default();
        tuned.is_some_and(|tuned| tuned.contains(&format!("\"{key}\"")))
    };
    config
        .lines()
        .map(str::trim)
        .filter(|line| {
            if line.starts_with('[') {
                inside = *line == "[training]" || line.starts_with("[training.");
            }
            inside && !line.is_empty() && !is_tuned(line)
        })
        .collect()
}
