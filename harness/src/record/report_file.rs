//! HTML reports on the disk.

use std::io::Write;
use std::path::Path;

use results::{Frames, atomic_file};

use crate::error::Error;

/// Writes the report of `frames` to `file` atomically.
///
/// # Errors
/// If the report cannot be rendered or written.
pub fn write(frames: &Frames, file: &Path) -> Result<(), Error> {
    replace(&reports::render(frames)?, file)
}

/// Writes `page` to `file` atomically; its folder is created if it is missing. Several processes may write it at the same time.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn replace(page: &str, file: &Path) -> Result<(), Error> {
    replace_bytes(page.as_bytes(), file)
}

/// The same with bytes.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn replace_bytes(bytes: &[u8], file: &Path) -> Result<(), Error> {
    Ok(atomic_file::replace(file, |out| out.write_all(bytes))?)
}
