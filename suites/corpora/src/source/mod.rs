//! Files to documents.

mod bytes;
mod files;
mod json_lines;
mod parquet;
mod record;
mod text;

#[cfg(test)]
mod tests;

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use files::{Compression, Format, SourceFile, find};
pub use record::{Content, MAX_DOCUMENT};
use record::{RecordError, Records};

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
    Empty(Place),
    /// A record that was left out, with its error.
    Skipped(Place, CorpusError),
}

/// The documents of a corpus, in the order of its files.
pub struct Documents<'a> {
    files: &'a [SourceFile],
    config: &'a CorpusConfig,
    end_token: u32,
    place: Place,
    records: Option<Records>,
    failed: bool,
}

impl<'a> Documents<'a> {
    /// The documents after `place`.
    ///
    /// # Arguments
    /// * `end_token`: what ends a document in files of tokens.
    ///
    /// # Errors
    /// If a file cannot be read up to the place.
    pub fn after(
        place: Place,
        files: &'a [SourceFile],
        config: &'a CorpusConfig,
        end_token: u32,
    ) -> Result<Self, CorpusError> {
        let mut documents = Self {
            files,
            config,
            end_token,
            place: Place { record: 0, ..place },
            records: None,
            failed: false,
        };
        while documents.place.record < place.record {
            let before = documents.place;
            documents.next().transpose()?;
            if documents.place.file != before.file || documents.place == before {
                return Err(CorpusError::source(
                    before_path(files, place.file),
                    format!(
                        "has fewer than {} records, which were read before",
                        place.record
                    ),
                    "do not change files while they are read",
                ));
            }
        }
        Ok(documents)
    }

    fn open(&self, file: &SourceFile) -> Result<Records, CorpusError> {
        let path: PathBuf = file.path.clone();
        Ok(match file.format {
            Format::Text => Box::new(text::TextRecords::new(
                bytes::open(file)?,
                path,
                self.config.separator.as_deref(),
            )),
            Format::JsonLines => Box::new(json_lines::JsonLineRecords::new(
                bytes::open(file)?,
                path,
                &self.config.text_field,
            )),
            Format::Parquet => {
                Box::new(parquet::ParquetRecords::new(path, &self.config.text_field)?)
            }
            Format::FlatTokens | Format::Tokens => {
                let _ = self.end_token;
                return Err(CorpusError::source(
                    path.display().to_string(),
                    "files of tokens are not read yet",
                    "give files of text",
                ));
            }
        })
    }
}

fn before_path(files: &[SourceFile], file: usize) -> String {
    files
        .get(file)
        .map_or_else(String::new, |file| file.path.display().to_string())
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
                self.place = Place {
                    file: self.place.file + 1,
                    record: 0,
                };
                continue;
            };
            self.place.record += 1;
            let end = self.place;
            return Some(match record {
                Ok(content) if content.is_empty() => Ok(Event::Empty(end)),
                Ok(content) => Ok(Event::Document(Document { content, end })),
                Err(RecordError::Record(error)) if self.config.skip_bad => {
                    Ok(Event::Skipped(end, error))
                }
                Err(RecordError::Record(error) | RecordError::File(error)) => {
                    self.failed = true;
                    Err(error)
                }
            });
        }
    }
}
