//! The folders of a sweep's output.
//!
//! ```text
//! runs/.cache/              tokenizers and tokens, shared by sweeps of the same corpus
//! runs/<sweep>/records/     rows
//! runs/<sweep>/claims/      which process executes a run
//! runs/<sweep>/checkpoints/ states of training, one folder per run under way
//! runs/<sweep>/weights/     one folder per trained run
//! runs/<sweep>/reruns/      runs that are executed again by `isoflop rerun`
//! runs/<sweep>/forecasts/   sealed forecasts of `isoflop forecast`
//! runs/<sweep>/jobs/        scripts of `isoflop slurm`, and what their jobs print
//! runs/<sweep>/csv/         rows as CSV, with --csv
//! runs/<sweep>/json/        rows as JSON lines, with --json
//! runs/<sweep>/report.html
//! runs/<sweep>-tuning/      the same of the trials of `[tune]`
//! runs/probes/              records and csv of probes of all sweeps
//! ```

use std::path::{Path, PathBuf};

use experiment::sweep_file::RESERVED_NAME;

/// Paths of one sweep; the folders are created when a file is written.
#[derive(Clone, Debug)]
pub struct Folders {
    output: PathBuf,
    sweep: PathBuf,
}

impl Folders {
    /// The folders of the sweep named `name` under `output`.
    pub fn new(output: &Path, name: &str) -> Self {
        Self {
            output: output.to_owned(),
            sweep: output.join(name),
        }
    }

    /// The folders of probes: their rows do not depend on the sweep that started them.
    pub fn of_probes(output: &Path) -> Self {
        Self::new(output, RESERVED_NAME)
    }

    /// The folder of all sweeps.
    pub fn output(&self) -> &Path {
        &self.output
    }

    /// Folder of tokenizers and tokens; `.cache` is not a valid name of a sweep.
    pub fn cache(&self) -> PathBuf {
        self.output.join(".cache")
    }

    /// Folder of rows.
    pub fn records(&self) -> PathBuf {
        self.sweep.join("records")
    }

    /// Folder of the sweep.
    pub fn sweep(&self) -> &Path {
        &self.sweep
    }

    /// Folder of claims of runs.
    pub fn claims(&self) -> PathBuf {
        self.sweep.join("claims")
    }

    /// Folder of the checkpoints of the run named `run`.
    pub fn checkpoints(&self, run: &str) -> PathBuf {
        self.sweep.join("checkpoints").join(run)
    }

    /// Folder of the weights of the run named `run`.
    pub fn weights(&self, run: &str) -> PathBuf {
        self.sweep.join("weights").join(run)
    }

    /// Folder of the rows of probes of all sweeps.
    pub fn probes(&self) -> PathBuf {
        Self::of_probes(&self.output).records()
    }

    /// Folder of sealed forecasts.
    pub fn forecasts(&self) -> PathBuf {
        self.sweep.join("forecasts")
    }

    /// Folder of jobs of Slurm.
    pub fn jobs(&self) -> PathBuf {
        self.sweep.join("jobs")
    }

    /// Folder of rows as CSV.
    pub fn csv(&self) -> PathBuf {
        self.sweep.join("csv")
    }

    /// Folder of rows as JSON lines.
    pub fn json(&self) -> PathBuf {
        self.sweep.join("json")
    }

    /// File of the HTML report.
    pub fn report(&self) -> PathBuf {
        self.sweep.join("report.html")
    }

    /// The folders of rows of all sweeps under the output folder, sorted; empty if it cannot be read.
    pub fn all_records(&self) -> Vec<PathBuf> {
        let Ok(sweeps) = std::fs::read_dir(&self.output) else {
            return Vec::new();
        };
        let records = sweeps.flatten().map(|sweep| sweep.path().join("records"));
        let mut records: Vec<_> = records.filter(|path| path.is_dir()).collect();
        records.sort();
        records
    }
}
