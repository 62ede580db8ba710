//! One Parquet file of rows, replaced atomically.

use std::fs::{self, File};
use std::io::{self, BufReader};
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use polars::prelude::{DataFrame, ParquetReader, ParquetWriter, PolarsError, SerReader};

use crate::{Error, Row};

/// Replaces `file` by these rows: a temporary file in its folder is written, flushed to the disk and renamed, so that after
/// a crash or Ctrl-C, and for every reader, the file has either the old rows or the new ones.
pub fn write<R: Row>(file: &Path, rows: &[R]) -> Result<(), Error> {
    let frame_error = |source| Error::Frame {
        file: file.to_owned(),
        source,
    };
    let mut frame = R::to_frame(rows).map_err(frame_error)?;
    replace(file, |out| {
        ParquetWriter::new(out).finish(&mut frame).map(|_| ())
    })
}

/// Runs `fill` on a temporary file and renames it to `file`. Missing folders are made.
pub fn replace(
    file: &Path,
    fill: impl FnOnce(&mut File) -> Result<(), PolarsError>,
) -> Result<(), Error> {
    let io = |action| {
        move |source: io::Error| Error::Io {
            path: file.to_owned(),
            action,
            source,
        }
    };
    let folder = file.parent().unwrap_or(Path::new("."));
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
        detail: one_line(&error.to_string()),
    })?;
    temporary
        .as_file()
        .sync_all()
        .map_err(io("cannot be flushed"))?;
    temporary
        .persist(file)
        .map_err(|error| io("cannot be replaced")(error.error))?;
    Ok(())
}

/// The rows of one file, in the order of the file.
pub fn read<R: Row>(file: &Path) -> Result<Vec<R>, Error> {
    let frame = read_frame(file)?;
    R::from_frame(&frame).map_err(|source| Error::Frame {
        file: file.to_owned(),
        source,
    })
}

fn read_frame(file: &Path) -> Result<DataFrame, Error> {
    let opened = File::open(file).map_err(|source| Error::Io {
        path: file.to_owned(),
        action: "cannot be opened",
        source,
    })?;
    let unreadable = |detail: &str| Error::Unreadable {
        file: file.to_owned(),
        detail: one_line(detail),
    };
    // Polars panics on some damaged pages, which must become an error that names the file. The reader is dropped by the
    // panic, so that no broken state remains.
    let reader = AssertUnwindSafe(|| ParquetReader::new(BufReader::new(opened)).finish());
    match panic::catch_unwind(reader) {
        Ok(Ok(frame)) => Ok(frame),
        Ok(Err(error)) => Err(unreadable(&error.to_string())),
        Err(_) => Err(unreadable("its pages are damaged")),
    }
}

fn one_line(message: &str) -> String {
    message.split_whitespace().collect::<Vec<_>>().join(" ")
}
