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
    /// What was read and is not yielded yet.
    pending: Vec<u8>,
    /// Bytes of `pending` in which the separator does not begin.
    searched: usize,
    /// Lines before `pending`.
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
            searched: 0,
            lines: 0,
            ended: false,
        }
    }

    /// The document of the next `bytes` bytes, which `skipped` bytes of a separator follow.
    fn document(&mut self, bytes: usize, skipped: usize) -> Record {
        let rest = self.pending.split_off(bytes + skipped);
        let mut document = std::mem::replace(&mut self.pending, rest);
        let first = self.lines + 1;
        self.lines += memchr::memchr_iter(b'\n', &document).count();
        self.searched = 0;
        document.truncate(bytes);
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
                    let bytes = self.searched + at;
                    return Some(self.document(bytes, length));
                }
                self.searched = (self.pending.len() + 1).saturating_sub(length);
            }
            if self.ended {
                let bytes = self.pending.len();
                return (bytes > 0).then(|| self.document(bytes, 0));
            }
            if self.pending.len() > MAX_DOCUMENT {
                return Some(Err(self.too_long()));
            }
            let piece = (&mut self.reader)
                .take(PIECE)
                .read_to_end(&mut self.pending);
            match piece {
                Ok(read) => self.ended = read == 0,
                Err(error) => {
                    self.ended = true;
                    self.pending.clear();
                    let error = CorpusError::io("read", &self.path)(error);
                    return Some(Err(RecordError::File(error)));
                }
            }
        }
    }
}
