//! Reading of token files. The hash of every block that a read touches is checked, so that no token is returned that
//! was not written.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::header::{HASH, Header, LEN, is_earlier_layout};
use crate::CorpusError;
use crate::positioned::PositionedFile;

/// A read-only sequence of token ids.
#[derive(Debug)]
pub struct TokenFile {
    file: PositionedFile,
    header: Header,
    /// Hash of each block.
    table: Vec<[u8; HASH]>,
    path: PathBuf,
}

impl TokenFile {
    /// Opens a file and checks its header, its length and its table of hashes.
    ///
    /// # Errors
    /// If the file is not accessible, not a token file, or damaged in these parts.
    pub fn open(path: &Path) -> Result<Self, CorpusError> {
        let mut file = File::open(path).map_err(CorpusError::io("open", path))?;
        let damaged = |reason| CorpusError::damaged(path, reason);
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => damaged("not a token file"),
            _ => CorpusError::io("read", path)(error),
        };
        let length = file
            .metadata()
            .map_err(CorpusError::io("read", path))?
            .len();
        let mut start = [0; LEN];
        file.read_exact(&mut start).map_err(failed)?;
        let header = Header::decode(&start, length).map_err(damaged)?;
        let file = PositionedFile::new(file);
        let mut bytes = vec![0; header.blocks() * HASH];
        let at = LEN as u64 + header.token_bytes();
        file.read_exact_at(&mut bytes, at).map_err(failed)?;
        if blake3::hash(&bytes) != header.table {
            let reason = format!("bytes {at} to {length}, the table, do not match their hash");
            return Err(CorpusError::damaged(path, reason));
        }
        let (table, _) = bytes.as_chunks::<HASH>();
        Ok(Self {
            file,
            table: table.to_vec(),
            header,
            path: path.to_owned(),
        })
    }

    /// Opens a file of the cache; `None` if there is none, or only one of an earlier layout, which is to be replaced.
    ///
    /// # Errors
    /// As for [`Self::open`], and if the file was written for another vocabulary than one of `vocab_size` ids.
    pub fn cached(path: &Path, vocab_size: usize) -> Result<Option<Self>, CorpusError> {
        let mut start = Vec::new();
        match File::open(path).and_then(|file| file.take(8).read_to_end(&mut start)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(CorpusError::io("read", path)(error)),
            Ok(_) if is_earlier_layout(&start) => return Ok(None),
            Ok(_) => {}
        }
        let file = Self::open(path)?;
        let written_for = file.header.vocab_size;
        if written_for != vocab_size as u64 {
            let reason =
                format!("it is for a vocabulary of {written_for}, the tokenizer has {vocab_size}");
            return Err(CorpusError::damaged(path, reason));
        }
        Ok(Some(file))
    }

    /// Number of tokens, at least one.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> usize {
        self.header.tokens
    }

    /// Number of corpus epochs in the file.
    pub fn epochs(&self) -> u64 {
        self.header.epochs
    }

    /// Number of ids of the vocabulary: every token is below it.
    pub fn vocab_size(&self) -> usize {
        self.header.vocab_size as usize
    }

    /// Path of the file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The position after the `documents`-th separator `end`; the number of tokens if there are fewer.
    ///
    /// # Errors
    /// As [`Self::window`].
    pub fn end_of(&self, documents: usize, end: u32) -> Result<u64, CorpusError> {
        const AT_ONCE: usize = 1 << 16;
        let mut left = documents;
        for start in (0..self.len()).step_by(AT_ONCE) {
            let tokens = self.window(start as u64, AT_ONCE.min(self.len() - start))?;
            for (index, &token) in tokens.iter().enumerate() {
                left -= usize::from(token == end);
                if left == 0 {
                    return Ok((start + index + 1) as u64);
                }
            }
        }
        Ok(self.len() as u64)
    }

    /// `len` tokens from position `start`; positions are modulo the number of tokens.
    ///
    /// # Errors
    /// If the file was changed, shortened or became inaccessible after it was written; the error names the place.
    pub fn window(&self, start: u64, len: usize) -> Result<Vec<u32>, CorpusError> {
        let mut tokens = Vec::with_capacity(len);
        let mut position = (start % self.len() as u64) as usize;
        let mut bytes = Vec::new();
        let per_block = self.header.block / self.header.width;
        while tokens.len() < len {
            self.read_block(position / per_block, &mut bytes)?;
            let skipped = position % per_block;
            let available = bytes.len() / self.header.width - skipped;
            let taken = available.min(len - tokens.len());
            self.decode(&bytes, skipped..skipped + taken, position, &mut tokens)?;
            position = (position + taken) % self.len();
        }
        Ok(tokens)
    }

    /// The tokens of each block in order.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Result<Vec<u32>, CorpusError>> + '_ {
        let per_block = self.header.block / self.header.width;
        (0..self.len())
            .step_by(per_block)
            .map(move |start| self.window(start as u64, per_block.min(self.len() - start)))
    }

    /// Reads one block and checks its hash.
    fn read_block(&self, block: usize, bytes: &mut Vec<u8>) -> Result<(), CorpusError> {
        let start = block as u64 * self.header.block as u64;
        let end = self
            .header
            .token_bytes()
            .min(start + self.header.block as u64);
        bytes.resize((end - start) as usize, 0);
        let (first, last) = (LEN as u64 + start, LEN as u64 + end);
        self.file
            .read_exact_at(bytes, first)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    let reason = format!("it was shortened and ends before byte {last}");
                    CorpusError::damaged(&self.path, reason)
                }
                _ => CorpusError::io("read", &self.path)(error),
            })?;
        if blake3::hash(bytes).as_bytes() != &self.table[block] {
            let reason = format!("bytes {first} to {last} do not match their hash");
            return Err(CorpusError::damaged(&self.path, reason));
        }
        Ok(())
    }

    /// Appends the tokens `range` of a block, the first of which is at `position` in the file.
    fn decode(
        &self,
        bytes: &[u8],
        range: std::ops::Range<usize>,
        position: usize,
        tokens: &mut Vec<u32>,
    ) -> Result<(), CorpusError> {
        let width = self.header.width;
        let before = tokens.len();
        let bytes = &bytes[range.start * width..range.end * width];
        if width == 2 {
            let (ids, _) = bytes.as_chunks();
            tokens.extend(ids.iter().map(|&id| u32::from(u16::from_le_bytes(id))));
        } else {
            let (ids, _) = bytes.as_chunks();
            tokens.extend(ids.iter().map(|&id| u32::from_le_bytes(id)));
        }
        let vocab_size = self.header.vocab_size;
        let outside = |&id: &u32| u64::from(id) >= vocab_size;
        match tokens[before..].iter().position(outside) {
            None => Ok(()),
            Some(index) => {
                let (id, place) = (tokens[before + index], position + index);
                let reason =
                    format!("token {place} has id {id}, the vocabulary has {vocab_size} ids");
                Err(CorpusError::damaged(&self.path, reason))
            }
        }
    }
}
