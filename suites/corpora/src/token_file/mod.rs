//! Files of token ids, every part of which is checked by hash when it is read.

mod header;
mod reader;
mod writer;

pub use reader::TokenFile;

use crate::CorpusError;

/// A sequence of token ids that is read by position.
pub trait Tokens {
    /// `len` tokens from position `start`.
    ///
    /// # Errors
    /// If they cannot be read, or their file is damaged.
    fn window(&self, start: u64, len: usize) -> Result<Vec<u32>, CorpusError>;
}

impl Tokens for TokenFile {
    fn window(&self, start: u64, len: usize) -> Result<Vec<u32>, CorpusError> {
        Self::window(self, start, len)
    }
}
pub use writer::{Writer, write};

#[cfg(test)]
mod tests;
