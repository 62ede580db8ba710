//! The recorded runs that the arguments of `isoflop compare` select.
//!
//! | argument | runs |
//! |---|---|
//! | `quick` | those of a sweep; only those of the present configuration if the sweep file is found |
//! | `quick:l`, `quick:l/memory+`, `quick:*/dense/0` | those of a size, a block, a seed; `*` matches any |
//! | `runs/quick`, `elsewhere/records` | those in that folder; `:l/dense` may follow |
//! | `4f1c` | the run whose name has this prefix |

mod selector;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use results::study::BlockRole;
use results::{Frames, Records, RunRow};

use crate::error::Error;
use crate::record::folders::Folders;
use crate::record::selection;
use crate::run::tuning::plan_with_picks;
use experiment::plan::Plan;
use experiment::sweep_file::{FileError, Sweep, suggest};
use selector::{RunSource, Selector};

/// The selected runs, with all their rows.
#[derive(Debug, Default)]
pub struct SelectedRuns {
    /// Rows of the selected runs.
    pub frames: Frames,
    /// Names of the runs in the order of the arguments; within one argument by ascending budget, dense first.
    pub order: Vec<String>,
}

/// A filter of runs by their row.
pub type RunRowFilter<'a> = &'a dyn Fn(&RunRow) -> bool;

/// The runs that both `arguments` and `filter` select.
///
/// # Arguments
/// * `output`: the folder of sweeps and runs.
/// * `blocks`: labels in the order in which the blocks of a budget are listed; others follow by role, then by label.
///
/// # Errors
/// If an argument is invalid or matches no run, if the prefix of a name matches several, or if rows cannot be read.
pub fn select(
    arguments: &[String],
    output: &Path,
    filter: RunRowFilter,
    blocks: &[String],
) -> Result<SelectedRuns, Error> {
    let mut folders = FramesCache::default();
    let mut selection = SelectedRuns::default();
    for argument in arguments {
        let (frames, selected) = matching_runs(argument, output, &mut folders)?;
        let mut rows: Vec<&RunRow> = frames
            .runs()
            .iter()
            .filter(|row| selected.contains(&row.run) && filter(row))
            .collect();
        if rows.is_empty() {
            return Err(invalid(
                argument,
                "has no run that --size, --only and --seed select",
                "remove or change these filters",
            ));
        }
        rows.sort_by(|a, b| {
            let key = |row: &RunRow| {
                let place = blocks.iter().position(|block| *block == row.block);
                (
                    place.unwrap_or(usize::MAX),
                    BlockRole::of(row),
                    row.block.clone(),
                    row.seed,
                )
            };
            a.target_flops
                .total_cmp(&b.target_flops)
                .then_with(|| key(a).cmp(&key(b)))
        });
        // A run that is in two folders is taken from the first, so that its rows are not mixed.
        let new: HashSet<String> = rows
            .iter()
            .map(|row| row.run.clone())
            .filter(|run| !selection.order.contains(run))
            .collect();
        selection.order.extend(
            rows.iter()
                .map(|row| row.run.clone())
                .filter(|run| new.contains(run)),
        );
        selection.frames = selection.frames.extended(&frames, &new);
    }
    Ok(selection)
}

/// The frames of each folder that has been read.
#[derive(Default)]
struct FramesCache(BTreeMap<PathBuf, Frames>);

impl FramesCache {
    fn frames(&mut self, folder: &Path) -> Result<Frames, Error> {
        if let Some(frames) = self.0.get(folder) {
            return Ok(frames.clone());
        }
        let frames = Records::open(folder)?.read_for_reports()?;
        self.0.insert(folder.to_owned(), frames.clone());
        Ok(frames)
    }
}

/// The rows of the folder that `argument` refers to, and the names of the runs that it selects.
fn matching_runs(
    argument: &str,
    output: &Path,
    cache: &mut FramesCache,
) -> Result<(Frames, HashSet<String>), Error> {
    let Selector { source, filter } = Selector::parse(argument, output).map_err(|problem| {
        invalid(
            argument,
            &problem,
            "write SWEEP:SIZE/BLOCK/SEED, with `*` for any",
        )
    })?;
    let frames = match &source {
        RunSource::Folder(folder) => cache.frames(folder)?,
        RunSource::Sweep(name) => {
            let frames = cache.frames(&Folders::new(output, name).records())?;
            of_present_configuration(name, argument, output, frames)?
        }
        RunSource::Run(prefix) => return run_with_prefix(prefix, output, cache),
    };
    let selected: HashSet<String> = frames
        .runs()
        .iter()
        .filter(|row| filter.matches(row))
        .map(|row| row.run.clone())
        .collect();
    if selected.is_empty() {
        let mut recorded: Vec<String> = frames
            .runs()
            .iter()
            .map(|row| format!("{}/{}", row.size, row.block))
            .collect();
        recorded.dedup();
        return Err(invalid(
            argument,
            "matches no recorded run",
            &format!("recorded there: {}", recorded.join(", ")),
        ));
    }
    Ok((frames, selected))
}

/// The runs of the present configuration of the sweep `name`; all runs if its file cannot be read.
fn of_present_configuration(
    name: &str,
    argument: &str,
    output: &Path,
    frames: Frames,
) -> Result<Frames, Error> {
    let sweep = match Sweep::load(name) {
        Ok(sweep) => sweep,
        Err(FileError::Unreadable { .. }) => return Ok(frames),
        Err(error) => return Err(error.into()),
    };
    let (plan, _) = plan_with_picks(Plan::new(sweep)?, output)?;
    let present = selection::frames_of(&plan, &frames)?;
    if present.runs().is_empty() && !frames.runs().is_empty() {
        return Err(invalid(
            argument,
            "is recorded with another configuration only",
            "give its folder, such as `runs/NAME`, to compare the recorded runs",
        ));
    }
    Ok(present)
}

/// The run whose name starts with `prefix`, among all sweeps under `output`.
fn run_with_prefix(
    prefix: &str,
    output: &Path,
    cache: &mut FramesCache,
) -> Result<(Frames, HashSet<String>), Error> {
    let mut matches: Vec<(PathBuf, String)> = Vec::new();
    let folders = Folders::new(output, "").all_records();
    for folder in &folders {
        let frames = cache.frames(folder)?;
        let named = frames
            .runs()
            .iter()
            .filter(|row| row.run.starts_with(prefix));
        for row in named
            .filter(|row| matches.iter().all(|(_, run)| *run != row.run))
            .collect::<Vec<_>>()
        {
            matches.push((folder.clone(), row.run.clone()));
        }
    }
    match matches.as_slice() {
        [(folder, run)] => Ok((cache.frames(folder)?, HashSet::from([run.clone()]))),
        [] => {
            let sweeps: Vec<String> = folders
                .iter()
                .filter_map(|folder| folder.parent()?.file_name()?.to_str().map(str::to_owned))
                .collect();
            let names: Vec<&str> = sweeps.iter().map(String::as_str).collect();
            let remedy = match names.is_empty() {
                true => format!(
                    "no runs are recorded under {}: run a sweep first, or give --output",
                    output.display()
                ),
                false => suggest(prefix, &names),
            };
            Err(invalid(
                prefix,
                "is not a folder of records, a recorded sweep or the prefix of a run's name",
                &remedy,
            ))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(_, run)| run.as_str()).collect();
            Err(invalid(
                prefix,
                &format!("is the prefix of {} runs' names", several.len()),
                &format!("give a longer prefix of one of: {}", names.join(", ")),
            ))
        }
    }
}

fn invalid(argument: &str, problem: &str, remedy: &str) -> Error {
    Error::Argument {
        argument: argument.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    }
}
