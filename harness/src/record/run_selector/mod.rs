//! Which recorded runs the arguments of `isoflop compare` select.
//!
//! | argument | runs |
//! |---|---|
//! | `quick` | all of a sweep; where its file is found, those of the file's present configuration |
//! | `quick:l`, `quick:l/memory+`, `quick:*/dense/0` | those of a size, a block, a seed; `*` is any |
//! | `runs/quick`, `elsewhere/records` | all in that folder; `:l/dense` may follow |
//! | `4f1c` | the run whose name begins so |

mod selector;

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use results::{Frames, Records, Row, RunRow};

use crate::error::Error;
use crate::record::folders::Folders;
use crate::record::selection;
use experiment::plan::Plan;
use experiment::sweep_file::{FileError, Sweep, suggest};
use selector::{RunSource, Selector};

/// Runs, with all their rows.
#[derive(Debug, Default)]
pub struct SelectedRuns {
    /// Rows of the selected runs.
    pub frames: Frames,
    /// Names of the runs: argument by argument; within one, from the smallest budget up, dense first.
    pub order: Vec<String>,
}

/// Keeps a part of what was chosen.
pub type Keep<'a> = &'a dyn Fn(&RunRow) -> bool;

/// The runs that `arguments` select, of which `keep` is kept; sweeps and run names are looked up under `output`.
///
/// # Errors
/// Where an argument matches no run, or the beginning of a name matches several.
pub fn choose(arguments: &[String], output: &Path, keep: Keep) -> Result<SelectedRuns, Error> {
    let mut folders = Opened::default();
    let mut choice = SelectedRuns::default();
    for argument in arguments {
        let (frames, selected) = found(argument, output, &mut folders)?;
        let mut rows: Vec<&RunRow> = frames
            .runs()
            .iter()
            .filter(|row| selected.contains(&row.run) && keep(row))
            .collect();
        if rows.is_empty() {
            return Err(wrong(
                argument,
                "has no run that --size, --only and --seed keep",
                "loosen them",
            ));
        }
        rows.sort_by(|a, b| {
            let key = |row: &RunRow| (row.block != "dense", row.block.clone(), row.seed);
            a.target_flops
                .total_cmp(&b.target_flops)
                .then_with(|| key(a).cmp(&key(b)))
        });
        // A run that two folders hold is taken from the first: its rows must not mix.
        let new: HashSet<String> = rows
            .iter()
            .map(|row| row.run.clone())
            .filter(|run| !choice.order.contains(run))
            .collect();
        choice.order.extend(
            rows.iter()
                .map(|row| row.run.clone())
                .filter(|run| new.contains(run)),
        );
        choice.frames = joined(&choice.frames, &frames, &new);
    }
    Ok(choice)
}

/// Frames of the folders that were read, so that each is read once.
#[derive(Default)]
struct Opened(BTreeMap<PathBuf, Frames>);

impl Opened {
    fn frames(&mut self, folder: &Path) -> Result<Frames, Error> {
        if let Some(frames) = self.0.get(folder) {
            return Ok(frames.clone());
        }
        let frames = Records::open(folder)?.read_all()?;
        self.0.insert(folder.to_owned(), frames.clone());
        Ok(frames)
    }
}

/// The rows of a folder, and the names of the runs among them that `argument` selects.
fn found(
    argument: &str,
    output: &Path,
    opened: &mut Opened,
) -> Result<(Frames, HashSet<String>), Error> {
    let Selector { source, filter } = Selector::parse(argument, output).map_err(|problem| {
        wrong(
            argument,
            &problem,
            "write SWEEP:SIZE/BLOCK/SEED, `*` for any",
        )
    })?;
    let frames = match &source {
        RunSource::Folder(folder) => opened.frames(folder)?,
        RunSource::Sweep(name) => {
            let frames = opened.frames(&Folders::new(output, name).records())?;
            present(name, argument, frames)?
        }
        RunSource::Run(prefix) => return run(prefix, output, opened),
    };
    let selected: HashSet<String> = frames
        .runs()
        .iter()
        .filter(|row| filter.fits(row))
        .map(|row| row.run.clone())
        .collect();
    if selected.is_empty() {
        let mut recorded: Vec<String> = frames
            .runs()
            .iter()
            .map(|row| format!("{}/{}", row.size, row.block))
            .collect();
        recorded.dedup();
        return Err(wrong(
            argument,
            "matches no recorded run",
            &format!("recorded there: {}", recorded.join(", ")),
        ));
    }
    Ok((frames, selected))
}

/// Of a sweep whose file is at hand, the runs of its present configuration: records keep those of earlier ones.
fn present(name: &str, argument: &str, frames: Frames) -> Result<Frames, Error> {
    let sweep = match Sweep::load(name) {
        Ok(sweep) => sweep,
        Err(FileError::Unreadable { .. }) => return Ok(frames),
        Err(error) => return Err(error.into()),
    };
    let present = selection::frames_of(&Plan::new(sweep)?, &frames)?;
    if present.runs().is_empty() && !frames.runs().is_empty() {
        return Err(wrong(
            argument,
            "was recorded with another configuration only",
            "name the folder, such as `runs/NAME`, to compare what is recorded",
        ));
    }
    Ok(present)
}

/// The run whose name begins with `prefix`, among all sweeps under `output`.
fn run(
    prefix: &str,
    output: &Path,
    opened: &mut Opened,
) -> Result<(Frames, HashSet<String>), Error> {
    let mut hits: Vec<(PathBuf, String)> = Vec::new();
    let folders = Folders::new(output, "").all_records();
    for folder in &folders {
        let frames = opened.frames(folder)?;
        let named = frames
            .runs()
            .iter()
            .filter(|row| row.run.starts_with(prefix));
        for row in named
            .filter(|row| hits.iter().all(|(_, run)| *run != row.run))
            .collect::<Vec<_>>()
        {
            hits.push((folder.clone(), row.run.clone()));
        }
    }
    match hits.as_slice() {
        [(folder, run)] => Ok((opened.frames(folder)?, HashSet::from([run.clone()]))),
        [] => {
            let sweeps: Vec<String> = folders
                .iter()
                .filter_map(|folder| folder.parent()?.file_name()?.to_str().map(str::to_owned))
                .collect();
            let names: Vec<&str> = sweeps.iter().map(String::as_str).collect();
            let remedy = match names.is_empty() {
                true => format!(
                    "nothing is recorded under {}: run a sweep first, or give --output",
                    output.display()
                ),
                false => suggest(prefix, &names),
            };
            Err(wrong(
                prefix,
                "is no folder of records, no sweep and no run",
                &remedy,
            ))
        }
        several => {
            let names: Vec<&str> = several.iter().map(|(_, run)| run.as_str()).collect();
            Err(wrong(
                prefix,
                &format!("begins the names of {} runs", several.len()),
                &format!("write more of it: {}", names.join(", ")),
            ))
        }
    }
}

fn wrong(argument: &str, problem: &str, remedy: &str) -> Error {
    Error::Argument {
        argument: argument.to_owned(),
        problem: problem.to_owned(),
        remedy: remedy.to_owned(),
    }
}

/// `all` with the rows of the runs called `new` from `more`.
fn joined(all: &Frames, more: &Frames, new: &HashSet<String>) -> Frames {
    fn of<R: Row>(all: &[R], more: &[R], new: &HashSet<String>) -> Vec<R> {
        let added = more.iter().filter(|row| new.contains(row.run()));
        all.iter().chain(added).cloned().collect()
    }
    Frames::new(
        of(all.runs(), more.runs(), new),
        of(all.steps(), more.steps(), new),
        of(all.scores(), more.scores(), new),
        of(all.items(), more.items(), new),
        of(all.usage(), more.usage(), new),
    )
    .with_matches(of(all.matches(), more.matches(), new))
}
