//! Writing of token files, in pieces.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::path::Path;

use super::header::{HASH, Header, LEN, bytes_per_token};
use super::reader::TokenFile;
use crate::CorpusError;
use crate::cache::replace;

/// Bytes per block: one block fills the vector unit of BLAKE3, which hashes 16 KiB at once, and a window costs one or
/// two of them.
const BLOCK: usize = 16 << 10;

/// Writes a complete token file for a vocabulary of `vocab_size` ids. `fill` writes its tokens and returns their number
/// of corpus epochs.
///
/// # Errors
/// The first error of `fill`, or that of the operating system.
pub fn write<E: From<CorpusError>>(
    path: &Path,
    vocab_size: usize,
    fill: impl FnOnce(&mut Writer<'_>) -> Result<u64, E>,
) -> Result<(), E> {
    write_in_blocks(path, vocab_size, BLOCK, fill)
}

/// As [`write`], with `block` bytes per block.
pub(super) fn write_in_blocks<E: From<CorpusError>>(
    path: &Path,
    vocab_size: usize,
    block: usize,
    fill: impl FnOnce(&mut Writer<'_>) -> Result<u64, E>,
) -> Result<(), E> {
    replace(path, |file| {
        let mut writer = Writer {
            file: BufWriter::new(file),
            path,
            block: Vec::with_capacity(block),
            table: Vec::new(),
            header: Header {
                width: bytes_per_token(vocab_size as u64),
                epochs: 0,
                tokens: 0,
                vocab_size: vocab_size as u64,
                block,
                table: blake3::hash(&[]),
            },
        };
        // The header is written last, when its fields are known.
        writer.file.write_all(&[0; LEN]).map_err(writer.failed())?;
        writer.header.epochs = fill(&mut writer)?;
        let failed = writer.failed();
        Ok(writer.finish().map_err(failed)?)
    })
}

/// A token file that is being written.
pub struct Writer<'a> {
    file: BufWriter<&'a File>,
    path: &'a Path,
    /// The bytes of the block that is not full yet.
    block: Vec<u8>,
    /// Hashes of the full blocks.
    table: Vec<u8>,
    header: Header,
}

impl<'a> Writer<'a> {
    /// Number of tokens so far.
    pub fn tokens(&self) -> u64 {
        self.header.tokens as u64
    }

    /// Appends tokens.
    ///
    /// # Errors
    /// If an id is not below the vocabulary size, or the file cannot be written.
    pub fn push(&mut self, ids: &[u32]) -> Result<(), CorpusError> {
        for &id in ids {
            if u64::from(id) >= self.header.vocab_size {
                return Err(CorpusError::Tokenizer(format!(
                    "it returned id {id}, its vocabulary has {} ids",
                    self.header.vocab_size
                )));
            }
            let bytes = id.to_le_bytes();
            self.block.extend_from_slice(&bytes[..self.header.width]);
            if self.block.len() == self.header.block {
                self.end_block().map_err(self.failed())?;
            }
        }
        self.header.tokens += ids.len();
        Ok(())
    }

    /// Appends the tokens of another file, block by block.
    ///
    /// # Errors
    /// If the other file is damaged, or this one cannot be written.
    pub fn append(&mut self, other: &TokenFile) -> Result<(), CorpusError> {
        other.blocks().try_for_each(|ids| self.push(&ids?))
    }

    fn end_block(&mut self) -> io::Result<()> {
        self.file.write_all(&self.block)?;
        self.table
            .extend_from_slice(blake3::hash(&self.block).as_bytes());
        self.block.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        if !self.block.is_empty() {
            self.end_block()?;
        }
        debug_assert_eq!(self.table.len(), self.header.blocks() * HASH);
        self.file.write_all(&self.table)?;
        self.header.table = blake3::hash(&self.table);
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(&self.header.encode())?;
        self.file.flush()
    }

    fn failed(&self) -> impl FnOnce(io::Error) -> CorpusError + use<'a> {
        CorpusError::io("write", self.path)
    }
}
