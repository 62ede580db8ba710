//! Files to documents.

mod bytes;
mod files;
mod json_lines;
mod parquet;
mod record;
mod remote;
mod text;
mod tokens;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

pub use files::{Format, SourceFile, find};
pub use record::Content;
use record::{RecordError, Records};
pub use remote::{fetch, is_url};
pub use tokens::Vocabulary;

use crate::{CorpusConfig, CorpusError};

/// A place between two records of a corpus.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Files before it.
    pub file: usize,
    /// Records of that file before it, with those that are left out.
    pub record: u64,
}

/// A document with the place after it.
#[derive(Debug)]
pub struct Document {
    /// Its content.
    pub content: Content,
    /// Where the next record begins.
    pub end: Place,
}

/// A step of the reading of a corpus.
#[derive(Debug)]
pub enum Event {
    /// A document that is not empty.
    Document(Document),
    /// A record without content.
    Empty,
    /// A record that was left out, with its error.
    Skipped(CorpusError),
}

/// The documents of a corpus, in the order of its files.
pub struct Documents<'a> {
    files: &'a [SourceFile],
    config: &'a CorpusConfig,
    vocabulary: Vocabulary,
    place: Place,
    records: Option<Records>,
    failed: bool,
    read: Arc<AtomicU64>,
}

impl<'a> Documents<'a> {
    /// All documents of the files.
    ///
    /// # Arguments
    /// * `vocabulary`: the ids that files of tokens may have.
    pub fn new(files: &'a [SourceFile], config: &'a CorpusConfig, vocabulary: Vocabulary) -> Self {
        Self {
            files,
            config,
            vocabulary,
            place: Place::default(),
            records: None,
            failed: false,
            read: Arc::default(),
        }
    }

    /// The documents after `place`.
    ///
    /// # Errors
    /// If a file cannot be read up to the place.
    pub fn after(mut self, place: Place) -> Result<Self, CorpusError> {
        let skipped = self.files.iter().take(place.file);
        self.read = Arc::new(skipped.map(|file| file.bytes).sum::<u64>().into());
        self.place = Place { record: 0, ..place };
        while self.place.record < place.record {
            let event = self.next().transpose()?;
            if event.is_none() || self.place.file != place.file {
                let file = self.files.get(place.file);
                return Err(CorpusError::source(
                    file.map_or_else(String::new, |file| file.path.display().to_string()),
                    format!(
                        "has fewer than {} records, which were read before",
                        place.record
                    ),
                    "do not change files while they are read",
                ));
            }
        }
        Ok(self)
    }

    /// The counter of the bytes of files that were read, those before the first document included.
    pub fn read(&self) -> Arc<AtomicU64> {
        self.read.clone()
    }

    fn open(&self, file: &SourceFile) -> Result<Records, CorpusError> {
        let path: PathBuf = file.path.clone();
        Ok(match file.format {
            Format::Text => Box::new(text::TextRecords::new(
                bytes::open(file, &self.read)?,
                path,
                self.config.separator.as_deref(),
            )),
            Format::JsonLines => Box::new(json_lines::JsonLineRecords::new(
                bytes::open(file, &self.read)?,
                path,
                &self.config.text_field,
            )),
            Format::Parquet => {
                Box::new(parquet::ParquetRecords::new(path, &self.config.text_field)?)
            }
            Format::FlatTokens => {
                tokens::open_flat(file, self.config.dtype, self.vocabulary, &self.read)?
            }
            Format::Tokens => tokens::open_bin(file, self.vocabulary, &self.read)?,
        })
    }
}

impl Iterator for Documents<'_> {
    type Item = Result<Event, CorpusError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.failed {
            return None;
        }
        loop {
            let file = self.files.get(self.place.file)?;
            let records = match &mut self.records {
                Some(records) => records,
                None => match self.open(file) {
                    Ok(records) => self.records.insert(records),
                    Err(error) => {
                        self.failed = true;
                        return Some(Err(error));
                    }
                },
            };
            let Some(record) = records.next() else {
                self.records = None;
                // Some readers do not count: they do not read in order.
                let done = self.files[..=self.place.file].iter();
                self.read
                    .store(done.map(|file| file.bytes).sum(), Ordering::Relaxed);
                self.place = Place {
                    file: self.place.file + 1,
                    record: 0,
                };
                continue;
            };
            self.place.record += 1;
            let end = self.place;
            return Some(match record {
                Ok(content) if content.is_empty() => Ok(Event::Empty),
                Ok(content) => Ok(Event::Document(Document { content, end })),
                Err(RecordError::Record(error)) if self.config.skip_bad => {
                    Ok(Event::Skipped(error))
                }
                Err(RecordError::Record(error) | RecordError::File(error)) => {
                    self.failed = true;
                    Err(error)
                }
            });
        }
    }
}
