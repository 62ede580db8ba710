//! Waiting for space on the disk: a full disk pauses a run instead of ending it.

use std::path::Path;
use std::time::Duration;

use super::interrupt::Interrupt;
use super::progress::Progress;
use crate::checkpoint::error::CheckpointError;
use crate::process::disk_space;
use experiment::quantity::bytes;

/// Time between attempts.
const INTERVAL: Duration = Duration::from_secs(2);
/// Free space below which nothing is written, for the rows of a run beside the file that is written.
const RESERVE: u64 = 1 << 20;

/// An error that may be a full disk.
pub trait MayBeDiskFull {
    /// Whether the disk had no space.
    fn is_disk_full(&self) -> bool;
}

impl MayBeDiskFull for CheckpointError {
    fn is_disk_full(&self) -> bool {
        self.is_disk_full()
    }
}

impl MayBeDiskFull for results::Error {
    fn is_disk_full(&self) -> bool {
        self.is_disk_full()
    }
}

/// Runs `write` once `needed` bytes are free on the disk of `folder`, again after each failure for lack of space, until it
/// succeeds or an interrupt is requested.
///
/// # Errors
/// Those of `write`; for lack of space only after an interrupt.
pub fn when_space<T, E: MayBeDiskFull>(
    folder: &Path,
    needed: u64,
    interrupt: &Interrupt,
    progress: &mut dyn Progress,
    mut write: impl FnMut() -> Result<T, E>,
) -> Result<T, E> {
    let mut waiting = false;
    let ended = loop {
        let free = free_bytes(folder);
        if free >= needed.saturating_add(RESERVE) || interrupt.requested() {
            match write() {
                Err(error) if error.is_disk_full() && !interrupt.requested() => {}
                ended => break ended,
            }
        }
        if !waiting {
            waiting = true;
            progress.notice(&format!(
                "the disk of {} is full: {} are needed and {} are free; training waits, nothing is lost: free some space, or \
                 press Ctrl-C to stop",
                folder.display(),
                bytes(needed.saturating_add(RESERVE)),
                bytes(free),
            ));
        }
        std::thread::sleep(INTERVAL);
    };
    if waiting {
        progress.notice("there is space on the disk again");
    }
    ended
}

/// Free bytes on the disk of `folder`, or of the nearest folder above it that exists.
fn free_bytes(folder: &Path) -> u64 {
    let existing = folder.ancestors().find(|path| path.is_dir());
    let free = disk_space::free_bytes(existing.unwrap_or(Path::new(".")));
    // A system that does not say is no reason to wait.
    free.unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::progress::Quiet;

    fn full() -> CheckpointError {
        CheckpointError::Io {
            action: "write",
            path: "x".into(),
            source: std::io::ErrorKind::StorageFull.into(),
        }
    }

    #[test]
    fn writing_is_repeated_until_there_is_space() {
        let mut attempts = 0;
        let written = when_space(Path::new("."), 0, &Interrupt::default(), &mut Quiet, || {
            attempts += 1;
            match attempts {
                1 => Err(full()),
                _ => Ok(attempts),
            }
        });
        assert_eq!(written.unwrap(), 2);
    }

    #[test]
    fn an_interrupt_ends_the_wait_with_the_error() {
        let interrupt = Interrupt::default();
        interrupt.request();
        let mut attempt = || Err::<(), _>(full());
        let needed = u64::MAX;
        let ended = when_space(Path::new("."), needed, &interrupt, &mut Quiet, &mut attempt);
        assert!(ended.unwrap_err().is_disk_full());
    }

    #[test]
    fn other_errors_end_at_once() {
        let mut attempt = || Err::<(), _>(CheckpointError::damaged(Path::new("x"), "y"));
        let ended = when_space(
            Path::new("."),
            0,
            &Interrupt::default(),
            &mut Quiet,
            &mut attempt,
        );
        assert!(ended.is_err());
    }
}
