//! The folders of a sweep's output.
//!
//! ```text
//! runs/.cache/              tokenizers and tokens, shared by sweeps of the same corpus
//! runs/<sweep>/records/     rows
//! runs/<sweep>/weights/     one file a finished run
//! runs/<sweep>/csv/         rows again, on request
//! runs/<sweep>/report.html
//! runs/probes/              records and csv of probes, of any sweep
//! ```

use std::path::{Path, PathBuf};

use experiment::sweep_file::RESERVED_NAME;

/// Paths of one sweep; nothing is made until something is written.
#[derive(Clone, Debug)]
pub struct Folders {
    output: PathBuf,
    sweep: PathBuf,
}

impl Folders {
    /// The folders of the sweep called `name` under `output`.
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

    /// Tokenizers and tokens. No sweep can be called this.
    pub fn cache(&self) -> PathBuf {
        self.output.join(".cache")
    }

    /// Rows.
    pub fn records(&self) -> PathBuf {
        self.sweep.join("records")
    }

    /// Weights of the run called `run`.
    pub fn weights(&self, run: &str) -> PathBuf {
        self.sweep.join("weights").join(format!("{run}.bpk"))
    }

    /// Rows of probes, of any sweep.
    pub fn probes(&self) -> PathBuf {
        Self::of_probes(&self.output).records()
    }

    /// Rows as CSV.
    pub fn csv(&self) -> PathBuf {
        self.sweep.join("csv")
    }

    /// The page.
    pub fn report(&self) -> PathBuf {
        self.sweep.join("report.html")
    }

    /// The records of every sweep under the output folder, by name.
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
