//! Flushing of folders to the disk, without which a renamed file may be lost when the power fails.

use std::io;
use std::path::Path;

/// Flushes the entries of `folder` to the disk.
///
/// # Errors
/// If the folder cannot be opened or flushed.
#[cfg(unix)]
pub fn flush_folder(folder: &Path) -> io::Result<()> {
    match std::fs::File::open(folder)?.sync_all() {
        // Some file systems cannot flush a folder.
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        flushed => flushed,
    }
}

/// Other systems cannot open a folder as a file.
#[cfg(not(unix))]
pub fn flush_folder(_: &Path) -> io::Result<()> {
    Ok(())
}
