//! What is done of the tokenization of a corpus: a hashed file that is replaced after every shard.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::encode::{LeftOut, MESSAGES};
use crate::source::Place;
use crate::{CorpusError, hashed_file};

/// Version of the layout; part of every fingerprint.
pub const VERSION: &str = "tokenized corpus 1";

/// Counts of documents on one side of the split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Number of documents.
    pub documents: u64,
    /// Their bytes of text.
    pub bytes: u64,
    /// Their tokens, with the end token of each.
    pub tokens: u64,
}

impl Counts {
    /// Adds those of others.
    pub fn add(&mut self, other: Self) {
        self.documents += other.documents;
        self.bytes += other.bytes;
        self.tokens += other.tokens;
    }
}

/// A run of consecutive documents, tokenized.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// Documents to train on.
    pub train: Counts,
    /// Held-out documents.
    pub held_out: Counts,
    /// Records without content.
    pub empty: u64,
    /// Records that were left out.
    pub skipped: u64,
    /// Where the next shard begins.
    pub end: Place,
}

/// The shards of a corpus so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Hash of all that determines the tokens.
    pub fingerprint: String,
    /// The shards in order.
    pub shards: Vec<Shard>,
    /// Errors of the first records that were left out.
    pub messages: Vec<String>,
    /// Whether the shards are all.
    pub complete: bool,
}

impl Manifest {
    /// The manifest in the folder; one without shards if there is none.
    ///
    /// # Errors
    /// If it cannot be read, is damaged, or is that of another corpus.
    pub fn read(folder: &Path, fingerprint: &str) -> Result<Self, CorpusError> {
        let path = Self::path(folder);
        if !path.exists() {
            return Ok(Self {
                fingerprint: fingerprint.to_owned(),
                ..Self::default()
            });
        }
        let content = hashed_file::read(&path)?;
        let manifest: Self = serde_json::from_slice(&content)
            .map_err(|error| CorpusError::damaged(&path, error.to_string()))?;
        if manifest.fingerprint != fingerprint {
            return Err(CorpusError::damaged(&path, "it is that of another corpus"));
        }
        Ok(manifest)
    }

    /// Replaces the manifest in the folder.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<(), CorpusError> {
        let content = serde_json::to_vec(self).map_err(|error| CorpusError::Io {
            action: "write",
            path: Self::path(folder),
            source: error.into(),
        })?;
        hashed_file::write(&Self::path(folder), &content)
    }

    /// Keeps the messages of left-out records, if there are few so far.
    pub fn keep_messages(&mut self, left_out: &LeftOut) {
        let room = MESSAGES.saturating_sub(self.messages.len());
        let messages = left_out.messages.iter().take(room);
        self.messages.extend(messages.cloned());
    }

    fn path(folder: &Path) -> PathBuf {
        folder.join("manifest.json")
    }
}
