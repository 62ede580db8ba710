//! The files of a shard: the tokens of its documents, and an index of each side of the split.
//!
//! ```text
//! NNNNNN.tokens      token ids; each document is followed by the end token
//! NNNNNN.train       for each document to train on, five numbers of 32 bits: place of its first token, tokens, bytes of text,
//!                    and its hash in two parts
//! NNNNNN.held-out    the same for each held-out document
//! ```
//!
//! All are token files, so that every part of them is checked by hash when it is read.

use std::path::{Path, PathBuf};

use super::encode::{Encoded, LeftOut};
use super::manifest::{Counts, Shard};
use crate::{CorpusError, TokenFile, write};

/// Numbers of a document in an index.
const FIELDS: usize = 5;
/// The numbers of an index are below it.
const INDEX_RANGE: usize = 1 << 32;

/// A side of the split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Documents to train on.
    Train,
    /// Held-out documents.
    HeldOut,
}

/// An entry of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Place of the first token in the shard.
    pub start: u32,
    /// Number of tokens, with the end token.
    pub tokens: u32,
    /// Bytes of the text.
    pub bytes: u32,
    /// 64 bits of its hash.
    pub key: u64,
}

/// A shard that is being made.
#[derive(Debug, Default)]
pub struct ShardBuffer {
    tokens: Vec<u32>,
    train: Vec<u32>,
    held_out: Vec<u32>,
    /// What its row of the manifest will be.
    pub shard: Shard,
}

impl ShardBuffer {
    /// Appends a document.
    pub fn push(&mut self, document: &Encoded) {
        let (index, counts) = match document.side {
            Side::Train => (&mut self.train, &mut self.shard.train),
            Side::HeldOut => (&mut self.held_out, &mut self.shard.held_out),
        };
        // A shard is closed long before 2^32 tokens, and a document is limited in length.
        let (start, key) = (self.tokens.len() as u32, document.hash.key());
        index.extend([
            start,
            document.ids.len() as u32,
            document.bytes as u32,
            key as u32,
            (key >> 32) as u32,
        ]);
        counts.add(Counts {
            documents: 1,
            bytes: document.bytes,
            tokens: document.ids.len() as u64,
        });
        self.tokens.extend_from_slice(&document.ids);
        self.shard.end = document.end;
        self.leave_out(&document.before);
    }

    /// Counts records that are no documents.
    pub fn leave_out(&mut self, left_out: &LeftOut) {
        self.shard.empty += left_out.empty;
        self.shard.skipped += left_out.skipped;
    }

    /// Number of tokens.
    pub fn tokens(&self) -> usize {
        self.tokens.len()
    }

    /// Writes the files of the shard `number` and returns its row of the manifest; the buffer is then that of the next shard.
    ///
    /// # Errors
    /// If a file cannot be written.
    pub fn write(
        &mut self,
        folder: &Path,
        number: usize,
        vocab_size: usize,
    ) -> Result<Shard, CorpusError> {
        let parts = [
            ("tokens", &self.tokens, vocab_size),
            (name(Side::Train), &self.train, INDEX_RANGE),
            (name(Side::HeldOut), &self.held_out, INDEX_RANGE),
        ];
        for (name, numbers, range) in parts {
            if !numbers.is_empty() {
                write(&path(folder, number, name), range, |writer| {
                    writer.push(numbers)?;
                    Ok::<_, CorpusError>(0)
                })?;
            }
        }
        let next = Self::default();
        Ok(std::mem::replace(self, next).shard)
    }
}

/// The files of a shard, open.
#[derive(Debug)]
pub struct ShardFiles {
    tokens: TokenFile,
    train: Option<TokenFile>,
    held_out: Option<TokenFile>,
}

impl ShardFiles {
    /// Opens the files of the shard `number`, whose row of the manifest is `shard`.
    ///
    /// # Errors
    /// If a file is missing, damaged or that of another shard.
    pub fn open(
        folder: &Path,
        number: usize,
        shard: &Shard,
        vocab_size: usize,
    ) -> Result<Self, CorpusError> {
        let open = |name: &str, numbers: u64, range: usize| {
            let path = path(folder, number, name);
            let missing = || CorpusError::damaged(&path, "it is missing");
            let file = TokenFile::cached(&path, range)?.ok_or_else(missing)?;
            if file.len() as u64 == numbers {
                return Ok(file);
            }
            let reason = format!("it has {} numbers instead of {numbers}", file.len());
            Err(CorpusError::damaged(&path, reason))
        };
        let index = |side: Side, counts: Counts| {
            let numbers = counts.documents * FIELDS as u64;
            (numbers > 0)
                .then(|| open(name(side), numbers, INDEX_RANGE))
                .transpose()
        };
        Ok(Self {
            tokens: open(
                "tokens",
                shard.train.tokens + shard.held_out.tokens,
                vocab_size,
            )?,
            train: index(Side::Train, shard.train)?,
            held_out: index(Side::HeldOut, shard.held_out)?,
        })
    }

    /// The entries `range` of an index; none beyond its end.
    ///
    /// # Errors
    /// If the index is damaged.
    pub fn entries(
        &self,
        side: Side,
        range: std::ops::Range<u64>,
    ) -> Result<Vec<Entry>, CorpusError> {
        let index = match side {
            Side::Train => &self.train,
            Side::HeldOut => &self.held_out,
        };
        let Some(index) = index else {
            return Ok(Vec::new());
        };
        let first = range.start * FIELDS as u64;
        let last = (range.end * FIELDS as u64).min(index.len() as u64);
        let numbers = index.window(first, last.saturating_sub(first) as usize)?;
        let (entries, _) = numbers.as_chunks::<FIELDS>();
        Ok(entries
            .iter()
            .map(|&[start, tokens, bytes, low, high]| Entry {
                start,
                tokens,
                bytes,
                key: u64::from(low) | u64::from(high) << 32,
            })
            .collect())
    }

    /// The tokens of a document.
    ///
    /// # Errors
    /// If the tokens are damaged, or the entry is none of this shard.
    pub fn document(&self, entry: Entry) -> Result<Vec<u32>, CorpusError> {
        let end = u64::from(entry.start) + u64::from(entry.tokens);
        if end > self.tokens.len() as u64 {
            let reason = format!("an index names token {end}");
            return Err(CorpusError::damaged(self.tokens.path(), reason));
        }
        self.tokens
            .window(u64::from(entry.start), entry.tokens as usize)
    }
}

fn name(side: Side) -> &'static str {
    match side {
        Side::Train => "train",
        Side::HeldOut => "held-out",
    }
}

fn path(folder: &Path, number: usize, name: &str) -> PathBuf {
    folder.join(format!("{number:06}.{name}"))
}
