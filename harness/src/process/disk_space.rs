//! Free space of a file system.

use std::io;
use std::path::Path;

/// Bytes that this process may still write to the file system of `path`, which exists.
///
/// # Errors
/// If the system does not say.
#[cfg(unix)]
pub fn free_bytes(path: &Path) -> io::Result<u64> {
    let system = rustix::fs::statvfs(path)?;
    Ok(system.f_bavail.saturating_mul(system.f_frsize))
}

/// Unknown on other systems: writing finds out.
#[cfg(not(unix))]
pub fn free_bytes(_: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}
