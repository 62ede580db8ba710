//! Tokenization of a corpus, once, in shards, continued where an earlier process stopped.

use std::path::Path;
use std::time::Instant;

use super::content_hash::fingerprint;
use super::corpus::Corpus;
use super::encode::{encode, read_ahead};
use super::manifest::{Manifest, VERSION};
use super::shard::ShardBuffer;
use crate::progress::{Observer, Stage, StageReport};
use crate::source::{Documents, SourceFile, Vocabulary, find};
use crate::{CacheLock, CorpusConfig, CorpusError, Tokenizer};

/// Tokens after which a shard ends: what a process that is killed loses, and what is in memory.
const SHARD_TOKENS: usize = 1 << 24;

impl Corpus {
    /// Tokenizes what is not tokenized yet of the corpus `label`, below `cache_dir`, and opens it. Of several processes that prepare one
    /// corpus, one writes and the others wait for it. Paths are local: see [`crate::fetch`].
    ///
    /// # Errors
    /// If a source file or a record of it is invalid, a file cannot be read or written or is damaged, or the observer ends the
    /// preparation.
    pub fn prepare(
        label: &str,
        config: &CorpusConfig,
        tokenizer: &Tokenizer,
        cache_dir: &Path,
        observer: Observer,
    ) -> Result<Self, CorpusError> {
        prepare_in_shards(label, config, tokenizer, cache_dir, SHARD_TOKENS, observer)
    }
}

/// As [`Corpus::prepare`], with at least `shard_tokens` tokens in a shard.
///
/// # Errors
/// As [`Corpus::prepare`].
pub fn prepare_in_shards(
    label: &str,
    config: &CorpusConfig,
    tokenizer: &Tokenizer,
    cache_dir: &Path,
    shard_tokens: usize,
    mut observer: Observer,
) -> Result<Corpus, CorpusError> {
    let files = find(&format!("corpus.{label}.paths"), &config.paths)?;
    let of = (label, VERSION);
    let fingerprint = fingerprint(of, config, &files, tokenizer, &mut observer)?;
    let folder = cache_dir.join(format!("corpus-{fingerprint}"));
    let manifest = Manifest::read(&folder, &fingerprint)?;
    let manifest = if manifest.complete {
        manifest
    } else {
        let _lock = CacheLock::acquire(&folder)?;
        // Another process may have gone on meanwhile.
        let manifest = Manifest::read(&folder, &fingerprint)?;
        let begun = Instant::now();
        let work = Work {
            label,
            config,
            files: &files,
            tokenizer,
            folder: &folder,
            shard_tokens,
        };
        let manifest = work.complete(manifest, &mut observer)?;
        tracing::info!(
            corpus = label,
            seconds = begun.elapsed().as_secs_f64(),
            "corpus tokenized"
        );
        manifest
    };
    Corpus::new(label, config, &files, tokenizer, folder, manifest)
}

/// What the tokenization of a corpus needs.
struct Work<'a> {
    label: &'a str,
    config: &'a CorpusConfig,
    files: &'a [SourceFile],
    tokenizer: &'a Tokenizer,
    folder: &'a Path,
    shard_tokens: usize,
}

impl Work<'_> {
    /// Adds the shards that the manifest does not have.
    fn complete(
        &self,
        mut manifest: Manifest,
        observer: &mut Observer,
    ) -> Result<Manifest, CorpusError> {
        if manifest.complete {
            return Ok(manifest);
        }
        let total = self.files.iter().map(|file| file.bytes).sum();
        let mut report = StageReport::new(observer, self.label, Stage::Tokenizing, total);
        let from = manifest.shards.last().map(|shard| shard.end);
        let vocabulary = Vocabulary {
            end: self.tokenizer.end(),
            size: self.tokenizer.vocab_size(),
        };
        let documents =
            Documents::new(self.files, self.config, vocabulary).after(from.unwrap_or_default())?;
        let mut buffer = ShardBuffer::default();
        let mut tokens = 0;
        std::thread::scope(|scope| {
            for batch in read_ahead(scope, documents) {
                let batch = batch?;
                for document in encode(batch.documents, self.tokenizer, self.config.held_out)? {
                    tokens += document.ids.len() as u64;
                    manifest.keep_messages(&document.before);
                    buffer.push(&document);
                    if buffer.tokens() >= self.shard_tokens {
                        self.end_shard(&mut buffer, &mut manifest)?;
                    }
                }
                if let Some(left_out) = batch.last {
                    manifest.keep_messages(&left_out);
                    buffer.leave_out(&left_out);
                }
                report.tell(batch.read.min(total.saturating_sub(1)), tokens)?;
            }
            Ok::<_, CorpusError>(())
        })?;
        manifest.complete = true;
        self.end_shard(&mut buffer, &mut manifest)?;
        report.tell(total, tokens)?;
        Ok(manifest)
    }

    fn end_shard(
        &self,
        buffer: &mut ShardBuffer,
        manifest: &mut Manifest,
    ) -> Result<(), CorpusError> {
        // A shard of a changed file would belong to no content that has this fingerprint.
        let first = manifest.shards.last().map_or(0, |shard| shard.end.file);
        let last = match manifest.complete {
            true => self.files.len(),
            false => (buffer.shard.end.file + 1).min(self.files.len()),
        };
        self.files[first.min(last)..last]
            .iter()
            .try_for_each(SourceFile::check_unchanged)?;
        let number = manifest.shards.len();
        let shard = buffer.write(self.folder, number, self.tokenizer.vocab_size())?;
        manifest.shards.push(shard);
        manifest.write(self.folder)
    }
}
