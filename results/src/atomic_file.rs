//! Files that are replaced atomically: after a crash, and for every reader, a file has either its old or its new content.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::Error;

/// Runs `fill` on a temporary file, flushes it to the disk and renames it to `file`. Missing folders are made.
///
/// # Errors
/// If `fill` fails, or the file or its folder cannot be written; `file` is then unchanged.
pub fn replace<E: std::fmt::Display>(
    file: &Path,
    fill: impl FnOnce(&mut File) -> Result<(), E>,
) -> Result<(), Error> {
    let io = |action| {
        move |source: io::Error| Error::Io {
            path: file.to_owned(),
            action,
            source,
        }
    };
    let folder = file
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(io("cannot make its folder"))?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".writing-");
    #[cfg(unix)]
    {
        // A temporary file is private by default; a record is as readable as the umask lets any file be.
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    let mut temporary = builder
        .tempfile_in(folder)
        .map_err(io("cannot write beside it"))?;
    fill(temporary.as_file_mut()).map_err(|error| Error::Unwritable {
        file: file.to_owned(),
        detail: crate::error::one_line(&error.to_string()),
    })?;
    temporary
        .as_file()
        .sync_all()
        .map_err(io("cannot be flushed"))?;
    temporary
        .persist(file)
        .map_err(|error| io("cannot be replaced")(error.error))?;
    flush_folder(folder).map_err(io("cannot flush its folder"))
}

/// Flushes the entries of `folder`, without which a renamed file may be lost when the power fails.
fn flush_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(folder)?.sync_all() {
        // Some file systems cannot flush a folder.
        Err(error) if error.kind() != io::ErrorKind::InvalidInput => return Err(error),
        _ => {}
    }
    Ok(())
}
