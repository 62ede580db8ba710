//! The bytes of a file, decompressed, in pieces of bounded size.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::files::{Compression, SourceFile};
use crate::CorpusError;

/// Bytes that are read at a time.
const BUFFER: usize = 1 << 18;

/// A file of which the bytes that are read are counted.
struct Counted {
    file: File,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(bytes)?;
        self.read.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// The decompressed bytes of a file; `read` counts its own bytes.
///
/// # Errors
/// If the file cannot be opened.
pub fn open(
    file: &SourceFile,
    read: &Arc<AtomicU64>,
) -> Result<Box<dyn BufRead + Send>, CorpusError> {
    let failed = || CorpusError::io("read", &file.path);
    let counted = Counted {
        file: File::open(&file.path).map_err(failed())?,
        read: read.clone(),
    };
    let stored = BufReader::with_capacity(BUFFER, counted);
    Ok(match file.compression {
        Compression::None => Box::new(stored),
        Compression::Gzip => Box::new(BufReader::with_capacity(
            BUFFER,
            MultiGzDecoder::new(stored),
        )),
        Compression::Zstandard => {
            let decoder = zstd::Decoder::with_buffer(stored).map_err(failed())?;
            Box::new(BufReader::with_capacity(BUFFER, decoder))
        }
    })
}

/// Reads up to and with the next line feed, at most `most` bytes without it. `Ok(None)` at the end.
///
/// # Errors
/// That of the operating system; `InvalidData` with `line is longer` beyond `most` bytes.
pub fn read_line(
    reader: &mut dyn BufRead,
    most: usize,
    line: &mut Vec<u8>,
) -> io::Result<Option<()>> {
    line.clear();
    let read = reader.take(most as u64 + 1).read_until(b'\n', line)?;
    if read > most && line.last() != Some(&b'\n') {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "too long"));
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok((read > 0).then_some(()))
}
