//! Files of Megatron-LM (`megatron/core/datasets/indexed_dataset.py`): tokens in `.bin`, and beside them an index `.idx`.
//!
//! ```text
//! bytes             field of the index
//! 9                 MMIDIDX\0\0
//! 8                 version, 1
//! 1                 number format: 4 is int32, 8 is uint16, ...
//! 8, 8              number of sequences, number of bounds of documents
//! 4 each            tokens of each sequence
//! 8 each            byte of the first token of each sequence in .bin
//! 8 each            bounds of documents: sequences before each, and all at the end
//! ```

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::{MAX_TOKENS, Vocabulary, check_id, invalid, too_long};
use crate::CorpusError;
use crate::positioned::PositionedFile;
use crate::source::files::SourceFile;
use crate::source::record::{Content, Record, RecordError};

/// Bytes before the lengths.
const HEADER: usize = 34;
const MAGIC: &[u8] = b"MMIDIDX\0\0";
const VERSION: u64 = 1;

/// The documents of a file.
pub struct MegatronRecords {
    tokens: PositionedFile,
    path: PathBuf,
    bytes: u64,
    index: PathBuf,
    width: usize,
    vocabulary: Vocabulary,
    /// Each part of the index is read in order: no part is in memory as a whole.
    lengths: BufReader<File>,
    starts: BufReader<File>,
    bounds: BufReader<File>,
    sequences: u64,
    /// Sequences that are read, and bounds that are not.
    sequence: u64,
    bounds_left: u64,
}

impl MegatronRecords {
    /// Opens a file and its index.
    ///
    /// # Errors
    /// If the index is none of Megatron's, does not match its length, or a file is not accessible.
    pub fn open(
        file: &SourceFile,
        index: &Path,
        vocabulary: Vocabulary,
    ) -> Result<Self, CorpusError> {
        let failed = || CorpusError::io("read", index);
        let mut header = [0; HEADER];
        let mut reader = File::open(index).map_err(failed())?;
        let length = reader.metadata().map_err(failed())?.len();
        let wrong = |problem: String| invalid(index, problem, "give an index of Megatron-LM");
        if length < HEADER as u64 {
            return Err(wrong("has no header of Megatron-LM".to_owned()));
        }
        reader.read_exact(&mut header).map_err(failed())?;
        let number = |at: usize| {
            let bytes = header[at..at + 8].try_into();
            u64::from_le_bytes(bytes.unwrap_or_default())
        };
        if !header.starts_with(MAGIC) || number(9) != VERSION {
            return Err(wrong("has no header of Megatron-LM".to_owned()));
        }
        let width = match header[17] {
            4 => 4,
            8 => 2,
            other => {
                return Err(wrong(format!(
                    "has number format {other}, not int32 or uint16"
                )));
            }
        };
        let (sequences, bounds) = (number(18), number(26));
        let starts_at = sequences
            .checked_mul(4)
            .and_then(|bytes| bytes.checked_add(HEADER as u64));
        let bounds_at = starts_at.and_then(|at| sequences.checked_mul(8)?.checked_add(at));
        let end = bounds_at.and_then(|at| bounds.checked_mul(8)?.checked_add(at));
        let (Some(starts_at), Some(bounds_at), true) = (starts_at, bounds_at, end == Some(length))
        else {
            return Err(wrong(
                "does not have the length that its header states".to_owned(),
            ));
        };
        let part = |at: u64| -> io::Result<BufReader<File>> {
            let mut file = File::open(index)?;
            file.seek(SeekFrom::Start(at))?;
            Ok(BufReader::new(file))
        };
        let mut records = Self {
            tokens: PositionedFile::new(
                File::open(&file.path).map_err(CorpusError::io("read", &file.path))?,
            ),
            path: file.path.clone(),
            bytes: file.bytes,
            index: index.to_owned(),
            width,
            vocabulary,
            lengths: part(HEADER as u64).map_err(failed())?,
            starts: part(starts_at).map_err(failed())?,
            bounds: part(bounds_at).map_err(failed())?,
            sequences,
            sequence: 0,
            bounds_left: bounds,
        };
        // The first bound is that before the first document.
        if bounds > 0 && records.next_bound()? != 0 {
            return Err(wrong(
                "has a first document that does not begin with sequence 0".to_owned(),
            ));
        }
        Ok(records)
    }

    fn next_bound(&mut self) -> Result<u64, CorpusError> {
        let mut bytes = [0; 8];
        self.bounds
            .read_exact(&mut bytes)
            .map_err(CorpusError::io("read", &self.index))?;
        self.bounds_left -= 1;
        Ok(u64::from_le_bytes(bytes))
    }

    /// Appends the next sequence.
    fn read_sequence(&mut self, ids: &mut Vec<u32>) -> Result<(), CorpusError> {
        let failed = || CorpusError::io("read", &self.index);
        let (mut length, mut start) = ([0; 4], [0; 8]);
        self.lengths.read_exact(&mut length).map_err(failed())?;
        self.starts.read_exact(&mut start).map_err(failed())?;
        let (length, start) = (u32::from_le_bytes(length), u64::from_le_bytes(start));
        let bytes = u64::from(length) * self.width as u64;
        if start.checked_add(bytes).is_none_or(|end| end > self.bytes) {
            let problem = format!("sequence {} ends beyond the tokens", self.sequence);
            return Err(invalid(&self.index, problem, "give both files whole"));
        }
        if ids.len() + length as usize > MAX_TOKENS {
            let place = start / self.width as u64;
            return Err(too_long(&self.path, place, "divide the document"));
        }
        let mut read = vec![0; bytes as usize];
        self.tokens
            .read_exact_at(&mut read, start)
            .map_err(CorpusError::io("read", &self.path))?;
        for (place, bytes) in read.chunks_exact(self.width).enumerate() {
            let mut id = [0; 4];
            id[..self.width].copy_from_slice(bytes);
            let place = start / self.width as u64 + place as u64;
            let id = u64::from(u32::from_le_bytes(id));
            ids.push(check_id(&self.path, id, place, self.vocabulary)?);
        }
        self.sequence += 1;
        Ok(())
    }

    fn document(&mut self) -> Result<Option<Content>, CorpusError> {
        if self.bounds_left == 0 {
            return Ok(None);
        }
        let end = self.next_bound()?;
        if end < self.sequence || end > self.sequences {
            let problem = format!(
                "a document ends with sequence {end} after {}",
                self.sequence
            );
            return Err(invalid(
                &self.index,
                problem,
                "give an index of Megatron-LM",
            ));
        }
        let mut ids = Vec::new();
        while self.sequence < end {
            self.read_sequence(&mut ids)?;
        }
        // With `--append-eod` documents have their end, which is added to every document here.
        if ids.last() == Some(&self.vocabulary.end) {
            ids.pop();
        }
        Ok(Some(Content::Tokens(ids)))
    }
}

impl Iterator for MegatronRecords {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let document = self.document();
        if document.is_err() {
            self.bounds_left = 0;
        }
        document.map_err(RecordError::File).transpose()
    }
}
