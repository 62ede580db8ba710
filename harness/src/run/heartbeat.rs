//! The heartbeat of a claim: the time of its file is set again and again while its process works.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::Duration;

use super::activity::SharedActivity;

/// Time between heartbeats.
pub const INTERVAL: Duration = Duration::from_secs(5);

/// The heartbeat of one claim.
pub struct Heartbeat {
    /// File of the claim.
    pub claim: PathBuf,
    /// File of the next generation, which a process creates that takes the run over.
    pub next: PathBuf,
    /// Where [`Heartbeat::activity`] is written for other processes.
    pub activity_file: PathBuf,
    /// What the process does with the run.
    pub activity: SharedActivity,
    /// Set once the run is lost.
    pub lost: Arc<AtomicBool>,
}

/// A heartbeat on a thread of its own.
pub struct Beating {
    stop: Sender<()>,
    thread: JoinHandle<()>,
}

impl Beating {
    /// Stops the heartbeat.
    pub fn stop(self) {
        drop(self.stop);
        // A heartbeat that panicked leaves a claim that becomes stale.
        let _ = self.thread.join();
    }
}

impl Heartbeat {
    /// Beats at once and at every [`INTERVAL`].
    pub fn start(self) -> Beating {
        let (stop, stopped) = mpsc::channel();
        let thread = std::thread::spawn(move || {
            self.beat();
            while stopped.recv_timeout(INTERVAL) == Err(RecvTimeoutError::Timeout) {
                self.beat();
            }
        });
        Beating { stop, thread }
    }

    /// One beat: finds whether the run is lost, else sets the time of the claim and writes the activity.
    pub fn beat(&self) {
        if self.next.exists() || touch(&self.claim).is_err_and(|error| is_missing(&error)) {
            self.lost.store(true, Ordering::Relaxed);
            return;
        }
        // For `status` only; a full disk must not stop the heartbeat.
        let _ = self.write_activity();
    }

    fn write_activity(&self) -> std::io::Result<()> {
        let text = serde_json::to_vec(&self.activity.get())?;
        let folder = self.activity_file.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::Builder::new()
            .prefix(".writing-")
            .tempfile_in(folder)?;
        file.write_all(&text)?;
        file.persist(&self.activity_file)?;
        Ok(())
    }
}

/// Whether there is no such file.
pub fn is_missing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    matches!(error.kind(), NotFound | NotADirectory)
}

/// Sets the time of `path` to the present, by the clock of the machine that has the disk.
#[cfg(unix)]
fn touch(path: &Path) -> std::io::Result<()> {
    use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
    let time = |tv_nsec| Timespec { tv_sec: 0, tv_nsec };
    let times = Timestamps {
        last_access: time(UTIME_OMIT),
        last_modification: time(UTIME_NOW),
    };
    Ok(rustix::fs::futimens(File::open(path)?, &times)?)
}

#[cfg(not(unix))]
fn touch(path: &Path) -> std::io::Result<()> {
    File::options()
        .write(true)
        .open(path)?
        .set_modified(SystemTime::now())
}
