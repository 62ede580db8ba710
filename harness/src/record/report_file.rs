//! HTML reports on the disk.

use std::fs;
use std::path::Path;

use results::Frames;

use crate::error::Error;

/// Writes the report of `frames` to `file` atomically.
///
/// # Errors
/// If the report cannot be rendered or written.
pub fn write(frames: &Frames, file: &Path) -> Result<(), Error> {
    replace(&reports::render(frames)?, file)
}

/// Writes `page` to `file` atomically; its folder is created if it is missing.
///
/// # Errors
/// If the folder or the file cannot be written.
pub fn replace(page: &str, file: &Path) -> Result<(), Error> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io("create", folder))?;
    let partial = file.with_extension("html.partial");
    fs::write(&partial, page).map_err(Error::io("write", &partial))?;
    fs::rename(&partial, file).map_err(Error::io("replace", file))
}
