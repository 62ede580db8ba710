//! The page on the disk.

use std::fs;
use std::path::Path;

use results::Frames;

use crate::error::Error;

/// Writes the report of `frames` to `file`, whole or not at all.
pub fn write(frames: &Frames, file: &Path) -> Result<(), Error> {
    replace(&reports::render(frames)?, file)
}

/// Writes `page` to `file`, whole or not at all.
pub fn replace(page: &str, file: &Path) -> Result<(), Error> {
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(Error::io("make", folder))?;
    let partial = file.with_extension("html.partial");
    fs::write(&partial, page).map_err(Error::io("write", &partial))?;
    fs::rename(&partial, file).map_err(Error::io("replace", file))
}
