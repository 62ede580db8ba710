//! The folder that a sweep writes to: `<records>/<table>/<run>.parquet`, one file per run and kind of row.
//!
//! Runs do not share files, so several processes may work on one sweep as long as each run has one writer.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::row::sort_and_deduplicate;
use crate::{Error, Frames, Row, StepRow, parquet};

/// A folder of records. Folders and files are created at the first write.
#[derive(Clone, Debug)]
pub struct Records {
    folder: PathBuf,
}

impl Records {
    /// The records under `folder`, which need not exist yet.
    ///
    /// # Errors
    /// When `folder` exists and is not a folder.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, Error> {
        let folder = folder.as_ref().to_owned();
        if folder.exists() && !folder.is_dir() {
            return Err(Error::Io {
                path: folder,
                action: "cannot hold records",
                source: io::ErrorKind::NotADirectory.into(),
            });
        }
        Ok(Self { folder })
    }

    /// Where the records are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Replaces the rows of this kind of `run`.
    pub fn write<R: Row>(&self, run: &str, rows: &[R]) -> Result<(), Error> {
        let file = self.file::<R>(run)?;
        if let Some(row) = rows.iter().find(|row| row.run() != run) {
            return Err(Error::ForeignRow {
                run: run.into(),
                found: row.run().into(),
            });
        }
        parquet::write(&file, &sort_and_deduplicate(rows.to_vec()))
    }

    /// Writes all rows of `frames` but probes, one file for each table: a folder of records that is read as one with a file for each
    /// run, and to which nothing is added.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write_merged(&self, frames: &Frames) -> Result<(), Error> {
        self.write_all(frames.runs())?;
        self.write_all(frames.steps())?;
        self.write_all(frames.scores())?;
        self.write_all(frames.items())?;
        self.write_all(frames.usage())?;
        self.write_all(frames.matches())?;
        self.write_all(frames.warnings())?;
        self.write_all(frames.exposures())?;
        self.write_all(frames.trials())?;
        self.write_all(frames.evaluations())?;
        self.write_all(frames.initial_weights())
    }

    fn write_all<R: Row>(&self, rows: &[R]) -> Result<(), Error> {
        parquet::write(&self.file::<R>("all")?, rows)
    }

    /// Adds rows to those of `run`; a row of the same key replaces the older one.
    ///
    /// The whole file is rewritten: a few milliseconds for thousands of rows. Add steps in batches where they are fast.
    pub fn append<R: Row>(&self, run: &str, rows: &[R]) -> Result<(), Error> {
        let mut all = self.read_run::<R>(run)?;
        all.extend_from_slice(rows);
        self.write(run, &all)
    }

    /// [`Records::append`] for steps, the rows that are added most often.
    pub fn append_steps(&self, run: &str, rows: &[StepRow]) -> Result<(), Error> {
        self.append(run, rows)
    }

    /// The rows of this kind of `run`: empty where it has no file.
    pub fn read_run<R: Row>(&self, run: &str) -> Result<Vec<R>, Error> {
        let file = self.file::<R>(run)?;
        match file.try_exists() {
            Ok(false) => Ok(Vec::new()),
            _ => parquet::read(&file),
        }
    }

    /// The rows of this kind of all runs, sorted by key.
    pub fn read<R: Row>(&self) -> Result<Vec<R>, Error> {
        let files = self.files(R::TABLE)?;
        let rows = of_all(&files, |file| parquet::read::<R>(file))?;
        Ok(sort_and_deduplicate(rows.into_iter().flatten().collect()))
    }

    /// All rows of all tables, sorted by key.
    ///
    /// # Errors
    /// When the folder does not exist, or a file is corrupt, foreign or lacks a column.
    pub fn read_all(&self) -> Result<Frames, Error> {
        self.read_with_steps(self.read()?)
    }

    /// All rows that reports and comparisons use: of the steps only those with a validation loss, which are few. The page of these
    /// rows is that of all rows.
    ///
    /// # Errors
    /// As [`Records::read_all`].
    pub fn read_for_reports(&self) -> Result<Frames, Error> {
        let files = self.files(StepRow::TABLE)?;
        let steps = of_all(&files, parquet::read_validated_steps)?;
        self.read_with_steps(steps.into_iter().flatten().collect())
    }

    fn read_with_steps(&self, steps: Vec<StepRow>) -> Result<Frames, Error> {
        if !self.folder.is_dir() {
            return Err(Error::Absent {
                folder: self.folder.clone(),
            });
        }
        Ok(Frames::new(
            self.read()?,
            steps,
            self.read()?,
            self.read()?,
            self.read()?,
        )
        .with_matches(self.read()?)
        .with_probes(self.read()?)
        .with_warnings(self.read()?)
        .with_exposures(self.read()?)
        .with_trials(self.read()?)
        .with_evaluations(self.read()?)
        .with_initial_weights(self.read()?))
    }

    fn file<R: Row>(&self, run: &str) -> Result<PathBuf, Error> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        if run.is_empty() || run.starts_with('.') || !run.chars().all(plain) {
            return Err(Error::RunName { run: run.into() });
        }
        Ok(self.folder.join(R::TABLE).join(format!("{run}.parquet")))
    }

    /// The Parquet files of a table by name; temporary files of an interrupted write have another ending.
    fn files(&self, table: &str) -> Result<Vec<PathBuf>, Error> {
        let folder = self.folder.join(table);
        if !folder.is_dir() {
            return Ok(Vec::new());
        }
        let unreadable = |source| Error::Io {
            path: folder.clone(),
            action: "cannot be listed",
            source,
        };
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).map_err(unreadable)? {
            let path = entry.map_err(unreadable)?.path();
            if path.extension().is_some_and(|ending| ending == "parquet") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }
}

/// What `read` makes of each file, in their order, by as many threads as there are cores.
///
/// Not by rayon: its threads execute further jobs while they wait for Polars' own threads, one inside another until the stack
/// overflows.
fn of_all<T: Send>(
    files: &[PathBuf],
    read: impl Fn(&Path) -> Result<T, Error> + Sync,
) -> Result<Vec<T>, Error> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let part = files.len().div_ceil(threads).max(1);
    let parts: Vec<Result<Vec<T>, Error>> = std::thread::scope(|scope| {
        let read = &read;
        let started: Vec<_> = files
            .chunks(part)
            .map(|files| scope.spawn(move || files.iter().map(|file| read(file)).collect()))
            .collect();
        started
            .into_iter()
            .map(|thread| match thread.join() {
                Ok(read) => read,
                Err(panic) => std::panic::resume_unwind(panic),
            })
            .collect()
    });
    let mut all = Vec::with_capacity(files.len());
    for part in parts {
        all.extend(part?);
    }
    Ok(all)
}
