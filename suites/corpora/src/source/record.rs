//! What a reader of a file yields.

use crate::CorpusError;

/// Most bytes of a document: it is in memory as a whole.
pub const MAX_DOCUMENT: usize = 64 << 20;

/// The content of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// Text.
    Text(String),
    /// Ids of tokens that others made, without the end token.
    Tokens(Vec<u32>),
}

impl Content {
    /// Whether there is nothing but white space.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.trim().is_empty(),
            Self::Tokens(ids) => ids.is_empty(),
        }
    }

    /// Bytes in memory.
    pub fn len(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Tokens(ids) => 4 * ids.len(),
        }
    }
}

/// Why there is no content.
#[derive(Debug)]
pub enum RecordError {
    /// This record alone is invalid; the next one can be read.
    Record(CorpusError),
    /// The file cannot be read further.
    File(CorpusError),
}

/// A record of a file, or why it cannot be read.
pub type Record = Result<Content, RecordError>;

/// The records of a file in order.
pub type Records = Box<dyn Iterator<Item = Record> + Send>;
