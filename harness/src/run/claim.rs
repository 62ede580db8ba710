//! Claims: which process executes a run, so that several processes share one folder.
//!
//! A claim is the file `claims/<run>.<generation>`; the highest generation holds the run. It appears whole and only once, by a
//! hard link to a finished file, which is atomic on local disks and on NFS. A claim whose process has ended, or whose
//! heartbeat has stopped for [`STALE_AFTER`], is stale: another process then creates the next generation, which only one
//! can, and the former holder stops at its next heartbeat, should it still run. Nothing is ever taken away by deleting a file
//! of another process, so that no process can delete a claim that it has not seen.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::activity::{Activity, SharedActivity};
use super::heartbeat::{Beating, Heartbeat, is_missing};
use crate::error::Error;
use crate::process::identity::ProcessIdentity;
use crate::record::clock;

/// Time without a heartbeat after which a claim of another machine is stale; well above the time for which clients of a network
/// file system see old attributes.
pub const STALE_AFTER: Duration = Duration::from_secs(180);

/// Who holds a run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Holder {
    /// The process.
    pub process: ProcessIdentity,
    /// When it claimed the run, RFC 3339.
    pub since: String,
}

/// The claims of one sweep's folder.
#[derive(Clone, Debug)]
pub struct Claims {
    folder: PathBuf,
    stale_after: Duration,
}

/// Result of an attempt to claim a run.
pub enum Attempt {
    /// This process holds the run now; the former holder, if its claim was stale.
    Claimed(Claim, Option<Holder>),
    /// Another process holds it.
    Held(Holder),
}

/// A claim of this process. Dropping it releases the run.
pub struct Claim {
    claims: Claims,
    run: String,
    generation: u64,
    /// What the process does with the run.
    pub activity: SharedActivity,
    lost: Arc<AtomicBool>,
    heartbeat: Option<Beating>,
}

/// A claim as found in the folder.
pub struct Found {
    /// Who holds it; `None` if the file cannot be read.
    pub holder: Option<Holder>,
    /// Whether its process no longer works on the run.
    pub stale: bool,
    generation: u64,
}

impl Claims {
    /// The claims in `folder`, which need not exist.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            stale_after: STALE_AFTER,
        }
    }

    /// Claims `run`, unless another process holds it.
    ///
    /// # Errors
    /// If the folder cannot be read or written.
    pub fn attempt(&self, run: &str) -> Result<Attempt, Error> {
        fs::create_dir_all(&self.folder).map_err(Error::io("create", &self.folder))?;
        let holder = Holder {
            process: ProcessIdentity::own(),
            since: clock::now(),
        };
        let file = self.written(&holder)?;
        loop {
            let found = self.found(run, modified(file.path()))?;
            let former = match found {
                Some(found) if !found.stale => {
                    // An unreadable claim has no holder to name.
                    let holder = found.holder.unwrap_or_else(|| Holder {
                        process: ProcessIdentity {
                            host: "an unknown machine".to_owned(),
                            ..holder.process.clone()
                        },
                        since: String::new(),
                    });
                    return Ok(Attempt::Held(holder));
                }
                found => found,
            };
            let generation = former.as_ref().map_or(0, |found| found.generation) + 1;
            let path = self.path(run, generation);
            match fs::hard_link(file.path(), &path) {
                Ok(()) => {}
                // A network file system may report an error of a link that it made before the reply was lost.
                Err(_) if links(file.path()) == 2 => {}
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(Error::io("create", &path)(error)),
            }
            let claim = Claim::start(self.clone(), run, generation);
            return Ok(Attempt::Claimed(
                claim,
                former.and_then(|found| found.holder),
            ));
        }
    }

    /// The claim of `run` with the highest generation.
    ///
    /// # Arguments
    /// * `now`: the present time by the clock that sets the times of files, to be compared with the last heartbeat.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn found(&self, run: &str, now: SystemTime) -> Result<Option<Found>, Error> {
        let Some(generation) = self.generations(run)?.into_iter().max() else {
            return Ok(None);
        };
        let path = self.path(run, generation);
        let heartbeat = match fs::metadata(&path).and_then(|metadata| metadata.modified()) {
            Ok(heartbeat) => heartbeat,
            // Released meanwhile.
            Err(error) if is_missing(&error) => return Ok(None),
            Err(error) => return Err(Error::io("read", &path)(error)),
        };
        let text = fs::read(&path).unwrap_or_default();
        let holder: Option<Holder> = serde_json::from_slice(&text).ok();
        let runs = holder.as_ref().and_then(|holder| holder.process.runs());
        let age = now.duration_since(heartbeat).unwrap_or_default();
        Ok(Some(Found {
            stale: match runs {
                Some(runs) => !runs,
                None => age > self.stale_after,
            },
            holder,
            generation,
        }))
    }

    /// The runs with a claim, held or stale.
    ///
    /// # Errors
    /// If the folder cannot be listed.
    pub fn runs(&self) -> Result<HashSet<String>, Error> {
        let run = |name: String| {
            let (run, generation) = name.rsplit_once('.')?;
            generation.parse::<u64>().ok()?;
            Some(run.to_owned())
        };
        Ok(self.names()?.into_iter().filter_map(run).collect())
    }

    /// What the holder of `run` last reported.
    pub fn activity(&self, run: &str) -> Option<Activity> {
        let text = fs::read(self.activity_file(run)).ok()?;
        serde_json::from_slice(&text).ok()
    }

    /// A temporary file with `holder`, flushed to the disk.
    fn written(&self, holder: &Holder) -> Result<tempfile::NamedTempFile, Error> {
        let failed = |error| Error::io("write in", &self.folder)(error);
        let mut file = tempfile::Builder::new()
            .prefix(".writing-")
            .tempfile_in(&self.folder)
            .map_err(failed)?;
        let text = serde_json::to_vec(holder)?;
        let written = file
            .write_all(&text)
            .and_then(|()| file.as_file().sync_all());
        written.map_err(failed)?;
        Ok(file)
    }

    fn path(&self, run: &str, generation: u64) -> PathBuf {
        self.folder.join(format!("{run}.{generation}"))
    }

    fn activity_file(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{run}.activity"))
    }

    /// The generations of claims of `run`.
    fn generations(&self, run: &str) -> Result<Vec<u64>, Error> {
        let generation = |name: String| {
            let number = name.strip_prefix(run)?.strip_prefix('.')?;
            number.parse::<u64>().ok()
        };
        Ok(self.names()?.into_iter().filter_map(generation).collect())
    }

    /// Names of the files in the folder.
    fn names(&self) -> Result<Vec<String>, Error> {
        let failed = |error| Error::io("list", &self.folder)(error);
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if is_missing(&error) => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            let name = entry.map_err(failed)?.file_name();
            names.extend(name.into_string());
        }
        Ok(names)
    }
}

impl Claim {
    fn start(claims: Claims, run: &str, generation: u64) -> Self {
        let activity = SharedActivity::default();
        let lost = Arc::new(AtomicBool::new(false));
        let heartbeat = Heartbeat {
            claim: claims.path(run, generation),
            next: claims.path(run, generation + 1),
            activity_file: claims.activity_file(run),
            activity: activity.clone(),
            lost: lost.clone(),
        };
        Self {
            claims,
            run: run.to_owned(),
            generation,
            activity,
            lost,
            heartbeat: Some(heartbeat.start()),
        }
    }

    /// Whether another process has taken the run over, as found at the last heartbeat.
    pub fn is_lost(&self) -> bool {
        self.lost.load(Ordering::Relaxed)
    }

    /// Whether this process holds the run at this moment.
    pub fn is_held(&self) -> bool {
        let next = self.claims.path(&self.run, self.generation + 1);
        !self.is_lost() && !next.exists()
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if let Some(heartbeat) = self.heartbeat.take() {
            heartbeat.stop();
        }
        if !self.is_held() {
            return;
        }
        let _ = fs::remove_file(self.claims.activity_file(&self.run));
        // The own claim last: while it exists nobody creates a generation that this could delete.
        let mut generations = self.claims.generations(&self.run).unwrap_or_default();
        generations.retain(|&generation| generation <= self.generation);
        generations.sort_unstable();
        for generation in generations {
            let _ = fs::remove_file(self.claims.path(&self.run, generation));
        }
    }
}

/// Number of names of a file; 0 if it cannot be read.
#[cfg(unix)]
fn links(path: &Path) -> u64 {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).map_or(0, |metadata| metadata.nlink())
}

#[cfg(not(unix))]
fn links(_: &Path) -> u64 {
    0
}

/// When a file was last changed, by the clock of the machine that has the disk.
fn modified(path: &Path) -> SystemTime {
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    modified.unwrap_or_else(|_| SystemTime::now())
}

#[cfg(test)]
mod tests;
