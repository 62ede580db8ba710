//! A tokenized corpus: any document by its number.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::manifest::{Counts, Manifest};
use super::shard::{Entry, ShardFiles, Side};
use crate::recent::Recent;
use crate::source::SourceFile;
use crate::{CorpusConfig, CorpusError, Tokenizer};

/// Shards that are open at a time: three files and some 100 KB each.
const OPEN_SHARDS: usize = 32;

/// A held-out document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldOutDocument {
    /// Ids with the end token.
    pub ids: Vec<u32>,
    /// Bytes of its text.
    pub bytes: u64,
}

/// A tokenized corpus. Its documents are numbered in the order of the files, those to train on and the held-out ones separately.
#[derive(Debug)]
pub struct Corpus {
    label: String,
    folder: PathBuf,
    manifest: Manifest,
    vocab_size: usize,
    /// Number of source files, and their bytes.
    files: (usize, u64),
    /// Documents to train on, and held-out documents, before each shard.
    first: Vec<(u64, u64)>,
    open: Recent<ShardFiles>,
}

impl Corpus {
    /// The corpus of a complete manifest.
    ///
    /// # Errors
    /// If there is nothing to train on or nothing is held out.
    pub(super) fn new(
        label: &str,
        config: &CorpusConfig,
        files: &[SourceFile],
        tokenizer: &Tokenizer,
        folder: PathBuf,
        manifest: Manifest,
    ) -> Result<Self, CorpusError> {
        let mut documents = (0, 0);
        let first = manifest.shards.iter().map(|shard| {
            let before = documents;
            documents.0 += shard.train.documents;
            documents.1 += shard.held_out.documents;
            before
        });
        let corpus = Self {
            label: label.to_owned(),
            first: first.collect(),
            vocab_size: tokenizer.vocab_size(),
            files: (files.len(), files.iter().map(|file| file.bytes).sum()),
            folder,
            manifest,
            open: Recent::new(OPEN_SHARDS),
        };
        let (train, held_out) = (corpus.train().documents, corpus.held_out().documents);
        if train == 0 || held_out == 0 {
            let what = if train == 0 {
                "to train on"
            } else {
                "held out"
            };
            let remedy = format!(
                "of {} documents none is {what}; give more documents, for files of text by `separator`, or another share",
                train + held_out
            );
            let key = format!("corpus.{label}.held_out");
            return Err(CorpusError::config(&key, config.held_out, remedy));
        }
        Ok(corpus)
    }

    /// The label in the sweep file.
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Hash of all that determines its tokens.
    pub fn fingerprint(&self) -> &str {
        &self.manifest.fingerprint
    }

    /// Number of source files.
    pub fn files(&self) -> usize {
        self.files.0
    }

    /// Bytes of the source files as stored.
    pub fn file_bytes(&self) -> u64 {
        self.files.1
    }

    /// Documents to train on.
    pub fn train(&self) -> Counts {
        self.sum(|shard| shard.train)
    }

    /// Held-out documents.
    pub fn held_out(&self) -> Counts {
        self.sum(|shard| shard.held_out)
    }

    /// Records without content, and records that were left out since they cannot be read.
    pub fn left_out(&self) -> (u64, u64) {
        let shards = &self.manifest.shards;
        let empty = shards.iter().map(|shard| shard.empty).sum();
        (empty, shards.iter().map(|shard| shard.skipped).sum())
    }

    /// Errors of the first records that were left out.
    pub fn messages(&self) -> &[String] {
        &self.manifest.messages
    }

    /// The folder of its shards.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The tokens of a document to train on, with the end token.
    ///
    /// # Errors
    /// If `number` is not below their number, or a shard is damaged.
    pub fn train_document(&self, number: u64) -> Result<Vec<u32>, CorpusError> {
        self.document(Side::Train, number)
            .map(|document| document.ids)
    }

    /// A held-out document.
    ///
    /// # Errors
    /// If `number` is not below their number, or a shard is damaged.
    pub fn held_out_document(&self, number: u64) -> Result<HeldOutDocument, CorpusError> {
        self.document(Side::HeldOut, number)
    }

    fn document(&self, side: Side, number: u64) -> Result<HeldOutDocument, CorpusError> {
        let first = |&(train, held_out): &(u64, u64)| match side {
            Side::Train => train,
            Side::HeldOut => held_out,
        };
        // The last shard that begins at or before the document: shards without documents of this side precede it.
        let shard = self.first.partition_point(|place| first(place) <= number);
        let missing = || {
            let reason = format!("it has no document {number}");
            CorpusError::damaged(&self.folder, reason)
        };
        let shard = shard.checked_sub(1).ok_or_else(missing)?;
        let files = self.shard(shard)?;
        let place = number - first(&self.first[shard]);
        let entries = files.entries(side, place..place + 1)?;
        let entry: Entry = *entries.first().ok_or_else(missing)?;
        Ok(HeldOutDocument {
            ids: files.document(entry)?,
            bytes: u64::from(entry.bytes),
        })
    }

    fn shard(&self, number: usize) -> Result<Arc<ShardFiles>, CorpusError> {
        let shard = &self.manifest.shards[number];
        self.open.get(number, || {
            ShardFiles::open(&self.folder, number, shard, self.vocab_size)
        })
    }

    /// Calls `visit` with the hash of every document.
    ///
    /// # Errors
    /// If a shard is damaged.
    pub(super) fn for_each_key(&self, mut visit: impl FnMut(u64)) -> Result<(), CorpusError> {
        const AT_ONCE: u64 = 1 << 14;
        for (number, shard) in self.manifest.shards.iter().enumerate() {
            for (side, counts) in [(Side::Train, shard.train), (Side::HeldOut, shard.held_out)] {
                if counts.documents == 0 {
                    continue;
                }
                let files = self.shard(number)?;
                for first in (0..counts.documents).step_by(AT_ONCE as usize) {
                    let entries = files.entries(side, first..first + AT_ONCE)?;
                    entries.iter().for_each(|entry| visit(entry.key));
                }
            }
        }
        Ok(())
    }

    fn sum(&self, of: impl Fn(&super::manifest::Shard) -> Counts) -> Counts {
        let mut sum = Counts::default();
        self.manifest
            .shards
            .iter()
            .for_each(|shard| sum.add(of(shard)));
        sum
    }
}

#[cfg(test)]
impl Corpus {
    /// Number of shards.
    pub fn manifest_shards(&self) -> usize {
        self.manifest.shards.len()
    }

    /// Writes the manifest as it was after some shards.
    pub fn write_manifest_of(&self, folder: &Path, shards: usize) {
        let manifest = Manifest {
            fingerprint: self.manifest.fingerprint.clone(),
            shards: self.manifest.shards[..shards].to_vec(),
            messages: match shards {
                0 => Vec::new(),
                _ => self.manifest.messages.clone(),
            },
            complete: false,
        };
        manifest.write(folder).unwrap();
    }
}
