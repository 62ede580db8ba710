//! `state.json`: what a folder of tensor files is a state of, and the hash of each file.
//!
//! The file is one JSON object with the manifest and the BLAKE3 hash of its text, so that a flipped bit of it is recognised too.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::error::CheckpointError;
use super::tensor_file::FileEntry;
use crate::train::state::TrainingProgress;

/// Name of the file.
pub const FILE: &str = "state.json";
/// Version of the folder's layout.
const FORMAT: u32 = 1;
/// Longest file that is read.
const MAX_BYTES: u64 = 256 << 20;

/// The manifest of a checkpoint or of weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Version of the folder's layout.
    pub format: u32,
    /// Name of the run.
    pub run: String,
    /// Whether moments are included, without which training cannot continue.
    pub has_moments: bool,
    /// Counters and statistics of training.
    pub progress: TrainingProgress,
    /// Validation loss that was measured after exactly this step, nats per token.
    pub val_loss: Option<f64>,
    /// Commit and instruction set of the program that wrote the folder.
    pub written_by: Origin,
    /// Number of updates of each dense parameter; empty without moments.
    pub dense_updates: BTreeMap<String, u64>,
    /// Number of updates of each table.
    pub table_updates: Vec<u32>,
    /// Every other file of the folder.
    pub files: Vec<FileEntry>,
}

/// What computed a state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Origin {
    /// Commit of the program.
    pub commit: String,
    /// Instruction set of the processor.
    pub instruction_set: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Hashed<'a> {
    blake3: String,
    #[serde(borrow)]
    state: &'a RawValue,
}

impl Manifest {
    /// A manifest of the present layout, without files.
    pub fn new(
        run: &str,
        progress: &TrainingProgress,
        val_loss: Option<f64>,
        written_by: Origin,
    ) -> Self {
        Self {
            format: FORMAT,
            run: run.to_owned(),
            has_moments: false,
            progress: progress.clone(),
            val_loss,
            written_by,
            dense_updates: BTreeMap::new(),
            table_updates: Vec::new(),
            files: Vec::new(),
        }
    }

    /// One hash of all files.
    pub fn content_hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for file in &self.files {
            hasher.update(format!("{} {}\n", file.name, file.blake3).as_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }

    /// Writes the manifest to `folder` and flushes it to the disk.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), CheckpointError> {
        let path = folder.join(FILE);
        let failed = |error| CheckpointError::io("write", &path)(error);
        let state = serde_json::to_string_pretty(self).map_err(|error| failed(error.into()))?;
        let hash = blake3::hash(state.as_bytes()).to_hex();
        let text = format!("{{\"blake3\": \"{hash}\",\n\"state\": {state}}}\n");
        let write = || {
            let mut file = File::create(&path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()
        };
        write().map_err(failed)
    }

    /// Reads the manifest of `folder` and compares it with its hash and with the run's name.
    ///
    /// # Errors
    /// If it is missing, damaged, or of another run or version.
    pub fn read(folder: &Path, run: &str) -> Result<Self, CheckpointError> {
        let manifest = Self::read_any(folder)?;
        if manifest.run != run {
            return Err(CheckpointError::Foreign {
                path: folder.to_owned(),
                reason: format!("it is of run {}", manifest.run),
            });
        }
        Ok(manifest)
    }

    /// Reads the manifest of `folder`, of whatever run, and compares it with its hash.
    ///
    /// # Errors
    /// If it is missing, damaged, or of another version.
    pub fn read_any(folder: &Path) -> Result<Self, CheckpointError> {
        let path = folder.join(FILE);
        let length = fs::metadata(&path).map_err(CheckpointError::io("read", &path))?;
        if length.len() > MAX_BYTES {
            return Err(CheckpointError::damaged(&path, "it is longer than 256 MiB"));
        }
        let bytes = fs::read(&path).map_err(CheckpointError::io("read", &path))?;
        let damaged = |reason: String| CheckpointError::damaged(&path, reason);
        let hashed: Hashed = serde_json::from_slice(&bytes)
            .map_err(|error| damaged(format!("it is no manifest ({error})")))?;
        if blake3::hash(hashed.state.get().as_bytes())
            .to_hex()
            .as_str()
            != hashed.blake3
        {
            return Err(damaged("its content differs from its hash".to_owned()));
        }
        let foreign = |reason: String| CheckpointError::Foreign {
            path: folder.to_owned(),
            reason,
        };
        #[derive(Deserialize)]
        struct Version {
            format: u32,
        }
        let text = hashed.state.get();
        let version: Version = serde_json::from_str(text)
            .map_err(|error| damaged(format!("it has no version ({error})")))?;
        if version.format != FORMAT {
            let reason = format!("its layout has version {}, not {FORMAT}", version.format);
            return Err(foreign(reason));
        }
        let manifest: Self = serde_json::from_str(text)
            .map_err(|error| damaged(format!("it is no manifest ({error})")))?;
        let plain = |name: &str| !name.contains(['/', '\\']) && !name.starts_with('.');
        if !manifest.files.iter().all(|file| plain(&file.name)) {
            return Err(damaged("it names a file outside its folder".to_owned()));
        }
        Ok(manifest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest() -> Manifest {
        let progress = TrainingProgress {
            step: 7,
            train_wall_s: 0.1 + 0.2,
            last_losses: vec![1.0 / 3.0, 2e-308],
            ..TrainingProgress::default()
        };
        Manifest::new("run-1", &progress, Some(2.5), Origin::default())
    }

    #[test]
    fn numbers_are_read_back_bit_for_bit() {
        let folder = tempfile::tempdir().unwrap();
        manifest().write(folder.path()).unwrap();
        assert_eq!(Manifest::read(folder.path(), "run-1").unwrap(), manifest());
    }

    #[test]
    fn every_flipped_bit_is_an_error_or_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        manifest().write(folder.path()).unwrap();
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        let mut errors = 0;
        for bit in 0..8 * whole.len() {
            let mut flipped = whole.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            std::fs::write(&path, flipped).unwrap();
            match Manifest::read(folder.path(), "run-1") {
                // Space between the object's own members is not covered by the hash.
                Ok(read) => assert_eq!(read, manifest()),
                Err(error) => {
                    errors += 1;
                    assert!(error.to_string().contains(FILE), "{error}");
                }
            }
        }
        assert!(errors > 8 * whole.len() - 100, "{errors}");
    }

    #[test]
    fn another_run_or_version_is_foreign() {
        let folder = tempfile::tempdir().unwrap();
        manifest().write(folder.path()).unwrap();
        let error = Manifest::read(folder.path(), "run-2")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("does not belong to this run: it is of run run-1"),
            "{error}"
        );
        let future = Manifest {
            format: 2,
            ..manifest()
        };
        future.write(folder.path()).unwrap();
        let error = Manifest::read(folder.path(), "run-1")
            .unwrap_err()
            .to_string();
        assert!(error.contains("version 2, not 1"), "{error}");
    }
}
