//! Reads at a position, without a file cursor that readers of several threads would share.

use std::fs::File;
use std::io;

/// A file that any number of threads read at positions of their own.
#[derive(Debug)]
pub(crate) struct PositionedFile {
    file: File,
    #[cfg(not(unix))]
    cursor: std::sync::Mutex<()>,
}

impl PositionedFile {
    /// Reads from `file` alone: nothing else may move its cursor.
    pub fn new(file: File) -> Self {
        Self {
            file,
            #[cfg(not(unix))]
            cursor: std::sync::Mutex::new(()),
        }
    }

    /// Fills `bytes` from the position, counted in bytes from the start of the file.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file ends before, otherwise the error of the operating system.
    #[cfg(unix)]
    pub fn read_exact_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()> {
        std::os::unix::fs::FileExt::read_exact_at(&self.file, bytes, position)
    }

    /// Fills `bytes` from the position, counted in bytes from the start of the file.
    ///
    /// # Errors
    /// `UnexpectedEof` if the file ends before, otherwise the error of the operating system.
    #[cfg(not(unix))]
    pub fn read_exact_at(&self, bytes: &mut [u8], position: u64) -> io::Result<()> {
        use std::io::{Read, Seek, SeekFrom};

        let _cursor = self
            .cursor
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        (&self.file).seek(SeekFrom::Start(position))?;
        (&self.file).read_exact(bytes)
    }
}
