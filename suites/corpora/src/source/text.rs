//! Files of text: one document, or several between separators.

use std::io::{BufRead, Read};
use std::path::PathBuf;

use memchr::memmem::Finder;

use super::record::{Content, MAX_DOCUMENT, Record, RecordError};
use crate::CorpusError;

/// Bytes that are read at a time.
const PIECE: u64 = 1 << 18;

/// The documents of a file of text.
pub struct TextRecords {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
    separator: Option<Finder<'static>>,
    /// What was read last.
    pending: Vec<u8>,
    /// Bytes of `pending` that were yielded.
    yielded: usize,
    /// Bytes of `pending` in which the separator does not begin.
    searched: usize,
    /// Lines before what is yielded next.
    lines: usize,
    ended: bool,
}

impl TextRecords {
    /// The documents of the text of `reader` between separators; the whole text without one.
    pub fn new(reader: Box<dyn BufRead + Send>, path: PathBuf, separator: Option<&str>) -> Self {
        Self {
            reader,
            path,
            separator: separator.map(|text| Finder::new(text).into_owned()),
            pending: Vec::new(),
            yielded: 0,
            searched: 0,
            lines: 0,
            ended: false,
        }
    }

    /// The document up to byte `end` of what is pending, which `skipped` bytes of a separator follow.
    fn document(&mut self, end: usize, skipped: usize) -> Record {
        let with_separator = &self.pending[self.yielded..end + skipped];
        let first = self.lines + 1;
        self.lines += memchr::memchr_iter(b'\n', with_separator).count();
        let document = self.pending[self.yielded..end].to_vec();
        self.yielded = end + skipped;
        self.searched = self.yielded;
        String::from_utf8(document)
            .map(Content::Text)
            .map_err(|error| {
                let valid = error.utf8_error().valid_up_to();
                let line = first + memchr::memchr_iter(b'\n', &error.as_bytes()[..valid]).count();
                RecordError::Record(CorpusError::source(
                    format!("{}:{line}", self.path.display()),
                    "the text is not UTF-8",
                    "convert the file, or set `skip_bad = true`",
                ))
            })
    }

    fn too_long(&mut self) -> RecordError {
        self.ended = true;
        (self.yielded, self.searched) = (0, 0);
        self.pending.clear();
        let remedy = match self.separator {
            Some(_) => "correct `separator`",
            None => "set `separator` to the text between documents",
        };
        RecordError::File(CorpusError::source(
            format!("{}:{}", self.path.display(), self.lines + 1),
            format!("the document is longer than {MAX_DOCUMENT} bytes"),
            remedy,
        ))
    }
}

impl Iterator for TextRecords {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        loop {
            if let Some(finder) = &self.separator {
                let length = finder.needle().len();
                if let Some(at) = finder.find(&self.pending[self.searched..]) {
                    let end = self.searched + at;
                    return Some(self.document(end, length));
                }
                let end = (self.pending.len() + 1).saturating_sub(length);
                self.searched = end.max(self.yielded);
            }
            let end = self.pending.len();
            if self.ended {
                return (end > self.yielded).then(|| self.document(end, 0));
            }
            if end - self.yielded > MAX_DOCUMENT {
                return Some(Err(self.too_long()));
            }
            self.pending.drain(..self.yielded);
            self.searched = self.searched.saturating_sub(self.yielded);
            self.yielded = 0;
            let piece = (&mut self.reader)
                .take(PIECE)
                .read_to_end(&mut self.pending);
            match piece {
                Ok(read) => self.ended = read == 0,
                Err(error) => {
                    self.ended = true;
                    (self.yielded, self.searched) = (0, 0);
                    self.pending.clear();
                    let error = CorpusError::io("read", &self.path)(error);
                    return Some(Err(RecordError::File(error)));
                }
            }
        }
    }
}
