//! Files in which tokens follow each other and an id separates the documents.
//!
//! OLMo-core: nothing but tokens of a number format that the file does not state; each document ends with the id. llm.c
//! (`dev/data/data_common.py`): 256 numbers of 32 bits, the first a magic number, the second a version, the third the number of
//! tokens, then the tokens; each document begins with the id.

use std::fs::File;
use std::io::{BufRead, Read};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use super::{MAX_TOKENS, Vocabulary, check_id, invalid, too_long};
use crate::source::bytes::open;
use crate::source::files::SourceFile;
use crate::source::record::{Content, Record, RecordError};
use crate::{CorpusError, TokenFormat};

/// Bytes of the header of llm.c.
const HEADER: usize = 1024;
/// Magic numbers and versions of llm.c with their number formats: of GPT-2's tokens and of Llama 3's.
const LLM_C: [(u32, u32, TokenFormat); 2] = [
    (20_240_520, 1, TokenFormat::Uint16),
    (20_240_801, 7, TokenFormat::Uint32),
];
/// How files of NumPy begin.
const NUMPY: &[u8] = b"\x93NUMPY";

/// The documents between ends.
pub struct FlatRecords {
    reader: Box<dyn BufRead + Send>,
    path: PathBuf,
    width: usize,
    vocabulary: Vocabulary,
    /// Tokens that are read, and all.
    read: u64,
    tokens: u64,
}

impl FlatRecords {
    /// The documents of a file of OLMo-core.
    ///
    /// # Errors
    /// If the file has a header of NumPy, has parts of a token, or is not accessible.
    pub fn olmo(
        file: &SourceFile,
        dtype: TokenFormat,
        vocabulary: Vocabulary,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, CorpusError> {
        let mut reader = open(file, read)?;
        let start = reader
            .fill_buf()
            .map_err(CorpusError::io("read", &file.path))?;
        if start.starts_with(NUMPY) {
            let remedy = "write the tokens without one, as `ndarray.tofile` does";
            return Err(invalid(&file.path, "has a header of NumPy", remedy));
        }
        Self::new(reader, file, dtype, vocabulary, file.bytes)
    }

    /// The documents of a file of llm.c.
    ///
    /// # Errors
    /// If the header is not one of llm.c or does not match the length, or the file is not accessible.
    pub fn llm_c(
        file: &SourceFile,
        vocabulary: Vocabulary,
        read: &Arc<AtomicU64>,
    ) -> Result<Self, CorpusError> {
        let mut reader = open(file, read)?;
        let mut header = [0; HEADER];
        let length = File::open(&file.path)
            .and_then(|file| file.metadata())
            .map_err(CorpusError::io("read", &file.path))?
            .len();
        let unknown = || {
            let remedy = "give a file of llm.c, or one of Megatron with its .idx beside it";
            invalid(&file.path, "has no header of llm.c", remedy)
        };
        if length < HEADER as u64 {
            return Err(unknown());
        }
        reader
            .read_exact(&mut header)
            .map_err(CorpusError::io("read", &file.path))?;
        let (fields, _) = header.as_chunks();
        let [magic, version, tokens] = [0, 1, 2].map(|index| u32::from_le_bytes(fields[index]));
        let known = LLM_C
            .iter()
            .find(|known| (known.0, known.1) == (magic, version));
        let &(_, _, dtype) = known.ok_or_else(unknown)?;
        let bytes = length - HEADER as u64;
        let records = Self::new(reader, file, dtype, vocabulary, bytes)?;
        if records.tokens == u64::from(tokens) {
            return Ok(records);
        }
        let problem = format!("has {} tokens, its header states {tokens}", records.tokens);
        Err(invalid(&file.path, problem, "give the whole file"))
    }

    fn new(
        reader: Box<dyn BufRead + Send>,
        file: &SourceFile,
        dtype: TokenFormat,
        vocabulary: Vocabulary,
        bytes: u64,
    ) -> Result<Self, CorpusError> {
        let width = match dtype {
            TokenFormat::Uint16 => 2,
            TokenFormat::Uint32 => 4,
        };
        if !bytes.is_multiple_of(width as u64) {
            let problem = format!("ends within a token of {width} bytes");
            let remedy = "give the whole file, and its `dtype` if it does not state it";
            return Err(invalid(&file.path, problem, remedy));
        }
        Ok(Self {
            reader,
            path: file.path.clone(),
            width,
            vocabulary,
            read: 0,
            tokens: bytes / width as u64,
        })
    }

    fn next_id(&mut self) -> Result<u32, CorpusError> {
        let mut bytes = [0; 4];
        self.reader
            .read_exact(&mut bytes[..self.width])
            .map_err(CorpusError::io("read", &self.path))?;
        let id = u64::from(u32::from_le_bytes(bytes));
        let id = check_id(&self.path, id, self.read, self.vocabulary);
        self.read += 1;
        id
    }

    fn document(&mut self) -> Result<Option<Content>, CorpusError> {
        let (first, mut ids) = (self.read, Vec::new());
        while self.read < self.tokens {
            let id = self.next_id()?;
            if id != self.vocabulary.end {
                ids.push(id);
            } else if !ids.is_empty() {
                break;
            }
            if ids.len() > MAX_TOKENS {
                let remedy = "set `tokenizer.end_token` to the token that separates its documents";
                return Err(too_long(&self.path, first, remedy));
            }
        }
        Ok((!ids.is_empty()).then_some(Content::Tokens(ids)))
    }
}

impl Iterator for FlatRecords {
    type Item = Record;

    fn next(&mut self) -> Option<Record> {
        let document = self.document();
        if document.is_err() {
            self.read = self.tokens;
        }
        document.map_err(RecordError::File).transpose()
    }
}
