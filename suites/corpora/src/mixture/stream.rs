//! A sequence of tokens in several files.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::SourcePosition;
use crate::recent::Recent;
use crate::{CorpusError, TokenFile, Tokens, hashed_file};

/// Files that are open at a time.
const OPEN_FILES: usize = 8;

/// Where the sources are after a segment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SourceState {
    /// The next document.
    pub position: SourcePosition,
    /// Tokens of the source in all segments so far.
    pub tokens: u64,
}

/// A file of the sequence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segment {
    /// Its tokens.
    pub tokens: u64,
    /// State after it, of each source.
    pub sources: Vec<SourceState>,
}

/// The segments that are made, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Segments(pub Vec<Segment>);

impl Segments {
    /// The segments of the sequence `name`; none if none is made.
    ///
    /// # Errors
    /// If the list cannot be read or is damaged.
    pub fn read(folder: &Path, name: &str) -> Result<Self, CorpusError> {
        let path = list(folder, name);
        if !path.exists() {
            return Ok(Self::default());
        }
        let content = hashed_file::read(&path)?;
        serde_json::from_slice(&content).map_err(|e| CorpusError::damaged(&path, e.to_string()))
    }

    /// Replaces the list.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, folder: &Path, name: &str) -> Result<(), CorpusError> {
        let path = list(folder, name);
        let content = serde_json::to_vec(self)
            .map_err(|error| CorpusError::io("write", &path)(error.into()))?;
        hashed_file::write(&path, &content)
    }

    /// Tokens of all.
    pub fn tokens(&self) -> u64 {
        self.0.iter().map(|segment| segment.tokens).sum()
    }
}

fn list(folder: &Path, name: &str) -> PathBuf {
    folder.join(format!("{name}.json"))
}

/// The file of a segment.
pub(super) fn file(folder: &Path, name: &str, number: usize) -> PathBuf {
    folder.join(format!("{name}-{number:05}.tokens"))
}

/// A read-only sequence of token ids in one or several token files.
#[derive(Debug)]
pub struct TokenStream {
    /// Place of the first token of each file, and its path.
    files: Vec<(u64, PathBuf)>,
    len: u64,
    vocab_size: usize,
    open: Recent<TokenFile>,
}

impl TokenStream {
    /// The tokens of one file, which stays open: another process may replace it by a longer one.
    pub fn of_file(file: TokenFile) -> Self {
        Self {
            files: vec![(0, file.path().to_owned())],
            len: file.len() as u64,
            vocab_size: file.vocab_size(),
            open: Recent::with(0, file, OPEN_FILES),
        }
    }

    pub(super) fn new(folder: &Path, name: &str, segments: &Segments, vocab_size: usize) -> Self {
        let mut len = 0;
        let files = segments.0.iter().enumerate().map(|(number, segment)| {
            let first = len;
            len += segment.tokens;
            (first, file(folder, name, number))
        });
        Self {
            files: files.collect(),
            len,
            vocab_size,
            open: Recent::new(OPEN_FILES),
        }
    }

    /// Number of tokens.
    #[allow(clippy::len_without_is_empty)]
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Paths of the files.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.files.iter().map(|(_, path)| path.as_path())
    }

    /// `len` tokens from position `start`.
    ///
    /// # Errors
    /// If they are not all there, or a file is damaged or not accessible; the error names the file.
    pub fn window(&self, start: u64, len: usize) -> Result<Vec<u32>, CorpusError> {
        let mut tokens = Vec::with_capacity(len);
        while tokens.len() < len {
            let place = start + tokens.len() as u64;
            let number = self.files.partition_point(|(first, _)| *first <= place);
            let Some(number) = number.checked_sub(1).filter(|_| place < self.len) else {
                let path = self.paths().last().unwrap_or(Path::new(""));
                let reason = format!("the tokens end before token {place}");
                return Err(CorpusError::damaged(path, reason));
            };
            let (first, path) = &self.files[number];
            let end = self.files.get(number + 1).map_or(self.len, |(end, _)| *end);
            let file = self
                .open
                .get(number, || self.open_file(path, end - first))?;
            let taken = (end - place).min((len - tokens.len()) as u64);
            tokens.extend(file.window(place - first, taken as usize)?);
        }
        Ok(tokens)
    }

    fn open_file(&self, path: &Path, tokens: u64) -> Result<TokenFile, CorpusError> {
        let missing = || CorpusError::damaged(path, "it is missing");
        let file = TokenFile::cached(path, self.vocab_size)?.ok_or_else(missing)?;
        if file.len() as u64 == tokens {
            return Ok(file);
        }
        let reason = format!("it has {} tokens instead of {tokens}", file.len());
        Err(CorpusError::damaged(path, reason))
    }
}

impl Tokens for TokenStream {
    fn window(&self, start: u64, len: usize) -> Result<Vec<u32>, CorpusError> {
        Self::window(self, start, len)
    }
}
