//! The checkpoints of one run: writing, which are kept, and the latest that is intact.

use std::fs;
use std::path::{Path, PathBuf};

use architectures::Decoder;
use experiment::training::CheckpointConfig;

use super::error::CheckpointError;
use super::manifest::Manifest;
use super::snapshot;
use crate::process::durable;
use crate::train::dense_adamw::DenseAdamW;

/// The folder of one run's checkpoints.
pub struct Store<'a> {
    folder: PathBuf,
    run: &'a str,
}

/// A checkpoint that is intact.
pub struct Intact {
    /// Its folder.
    pub folder: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
}

/// What [`Store::latest`] found.
pub struct Latest {
    /// The latest intact checkpoint.
    pub intact: Option<Intact>,
    /// Why later ones were not used.
    pub unusable: Vec<CheckpointError>,
}

impl<'a> Store<'a> {
    /// The checkpoints of `run` in `folder`, which need not exist.
    pub fn new(folder: PathBuf, run: &'a str) -> Self {
        Self { folder, run }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a checkpoint and removes those that `config` does not keep.
    ///
    /// # Errors
    /// If a file cannot be written; the checkpoints so far are then unchanged.
    pub fn save(
        &self,
        decoder: &Decoder,
        optimizer: &DenseAdamW,
        manifest: Manifest,
        config: &CheckpointConfig,
    ) -> Result<(), CheckpointError> {
        let name = format!("step-{:09}", manifest.progress.step);
        let target = self.folder.join(name);
        replace_folder(&target, &self.folder, |folder| {
            let file_bytes = snapshot::FILE_BYTES;
            snapshot::write(folder, decoder, Some(optimizer), manifest, file_bytes)
        })?;
        self.retain(config)
    }

    /// Removes the checkpoints that `config` does not keep.
    fn retain(&self, config: &CheckpointConfig) -> Result<(), CheckpointError> {
        let best = match config.keep_best {
            true => self.best()?,
            false => None,
        };
        let mut steps = self.steps()?;
        let kept = steps.len().saturating_sub(config.keep_last);
        steps.truncate(kept);
        for (_, folder) in steps {
            if Some(&folder) != best.as_ref() {
                remove_folder(&folder, &self.folder)?;
            }
        }
        Ok(())
    }

    /// The checkpoint with the lowest validation loss, among those with one.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn best(&self) -> Result<Option<PathBuf>, CheckpointError> {
        let measured = self.steps()?.into_iter().filter_map(|(_, folder)| {
            // A damaged manifest has no loss.
            let loss = Manifest::read(&folder, self.run).ok()?.val_loss?;
            Some((loss, folder))
        });
        let best = measured.min_by(|(a, _), (b, _)| a.total_cmp(b));
        Ok(best.map(|(_, folder)| folder))
    }

    /// The latest intact checkpoint, after every file of it has been compared with its hash.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn latest(&self) -> Result<Latest, CheckpointError> {
        let mut unusable = Vec::new();
        for (step, folder) in self.steps()?.into_iter().rev() {
            match snapshot::verify(&folder, self.run) {
                Ok(manifest) if manifest.progress.step == step => {
                    let intact = Some(Intact { folder, manifest });
                    return Ok(Latest { intact, unusable });
                }
                Ok(manifest) => unusable.push(CheckpointError::Foreign {
                    path: folder,
                    reason: format!("it is of step {}", manifest.progress.step),
                }),
                Err(error) => unusable.push(error),
            }
        }
        Ok(Latest {
            intact: None,
            unusable,
        })
    }

    /// Removes what a killed process left half-written. To be called by the only process that works on the run.
    ///
    /// # Errors
    /// If a folder cannot be removed.
    pub fn remove_partial(&self) -> Result<(), CheckpointError> {
        for (name, path) in self.entries()? {
            if name.starts_with(TEMPORARY) {
                remove_all(&path)?;
            }
        }
        Ok(())
    }

    /// Removes all checkpoints, or all but the best.
    ///
    /// # Errors
    /// If a folder cannot be removed.
    pub fn clear(&self, keep_best: bool) -> Result<(), CheckpointError> {
        let best = match keep_best {
            true => self.best()?,
            false => None,
        };
        for (name, path) in self.entries()? {
            match name.starts_with(TEMPORARY) {
                true => remove_all(&path)?,
                false if Some(&path) != best.as_ref() => remove_folder(&path, &self.folder)?,
                false => {}
            }
        }
        if best.is_none() {
            // Not if another process has begun to use it.
            let _ = fs::remove_dir(&self.folder);
        }
        Ok(())
    }

    /// Step and folder of each checkpoint, by step.
    fn steps(&self) -> Result<Vec<(usize, PathBuf)>, CheckpointError> {
        let mut steps: Vec<(usize, PathBuf)> = self
            .entries()?
            .into_iter()
            .filter_map(|(name, path)| Some((name.strip_prefix("step-")?.parse().ok()?, path)))
            .collect();
        steps.sort();
        Ok(steps)
    }

    fn entries(&self) -> Result<Vec<(String, PathBuf)>, CheckpointError> {
        let failed = |error| CheckpointError::io("list", &self.folder)(error);
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut all = Vec::new();
        for entry in entries {
            let entry = entry.map_err(failed)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            all.push((name, entry.path()));
        }
        Ok(all)
    }
}

/// Prefix of folders that are being written or removed.
const TEMPORARY: &str = ".writing-";

fn remove_all(folder: &Path) -> Result<(), CheckpointError> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(CheckpointError::io("remove", folder)(error))
        }
        _ => Ok(()),
    }
}

/// Fills a temporary folder in `workplace`, flushes it to the disk and renames it to `target`, which is replaced. On an error
/// `target` is unchanged.
///
/// # Arguments
/// * `workplace`: a folder of the same file system that no other process uses, so that [`Store::remove_partial`] may remove what a
///   killed process left there.
///
/// # Errors
/// Those of `fill`, or if the folder cannot be created or renamed.
pub fn replace_folder<T>(
    target: &Path,
    workplace: &Path,
    fill: impl FnOnce(&Path) -> Result<T, CheckpointError>,
) -> Result<T, CheckpointError> {
    let parent = target.parent().unwrap_or(Path::new("."));
    for folder in [parent, workplace] {
        fs::create_dir_all(folder).map_err(CheckpointError::io("create", folder))?;
    }
    let temporary = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempdir_in(workplace)
        .map_err(CheckpointError::io("write in", workplace))?;
    let filled = fill(temporary.path())?;
    let flush =
        |folder: &Path| durable::flush_folder(folder).map_err(CheckpointError::io("flush", folder));
    flush(temporary.path())?;
    remove_folder(target, workplace)?;
    let written = temporary.keep();
    fs::rename(&written, target).map_err(CheckpointError::io("rename", &written))?;
    flush(parent)?;
    Ok(filled)
}

/// Removes `folder`, after it has been moved to `workplace`, so that it never has its name without all of its files.
fn remove_folder(folder: &Path, workplace: &Path) -> Result<(), CheckpointError> {
    let failed = |error| CheckpointError::io("remove", folder)(error);
    let moved = tempfile::Builder::new()
        .prefix(TEMPORARY)
        .tempdir_in(workplace)
        .map_err(CheckpointError::io("write in", workplace))?;
    match fs::rename(folder, moved.path()) {
        Ok(()) => moved.close().map_err(failed),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed(error)),
    }
}

#[cfg(test)]
mod tests;
