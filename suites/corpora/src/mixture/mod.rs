//! Several sources of documents as one sequence of tokens.
//!
//! Documents follow each other whole. The next one is of the source that is furthest behind its share of the tokens, so that
//! after any number of tokens each source has its share but for a document. Which document of a source is next is drawn by a
//! counter. The sequence is therefore a function of its sources, their weights and the seed alone, and each of its tokens has a
//! place that does not depend on how many were made.

mod corpus_source;
mod make;
mod stream;

#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};

pub use corpus_source::{CorpusSource, HeldOutSource};
pub use make::{extend, held_out};
pub use stream::TokenStream;

/// Where a source is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourcePosition {
    /// Passes over all its documents that are done.
    pub epoch: u64,
    /// Documents of this pass that are done.
    pub document: u64,
}

/// Documents without end: each pass over them is in an order of its own.
pub trait DocumentSource<E> {
    /// Goes to a position.
    ///
    /// # Errors
    /// If the documents there cannot be made.
    fn seek(&mut self, position: SourcePosition) -> Result<(), E>;

    /// Where the next document is.
    fn position(&self) -> SourcePosition;

    /// The tokens of the next document, with the end token; not empty.
    ///
    /// # Errors
    /// If it cannot be read or made.
    fn next_document(&mut self) -> Result<Vec<u32>, E>;
}

/// A source with its weight.
pub struct Weighted<'a, E> {
    /// Its share of the tokens, relative to the others.
    pub weight: f64,
    /// The source.
    pub source: Box<dyn DocumentSource<E> + 'a>,
}

/// The source whose turn it is, of sources with these tokens so far and weights: the one with the fewest tokens for its weight,
/// and the first of equal ones.
fn next_source(tokens: impl Iterator<Item = (u64, f64)>) -> usize {
    let ratios = tokens.map(|(tokens, weight)| tokens as f64 / weight);
    let least = ratios
        .enumerate()
        .min_by(|(_, one), (_, other)| one.total_cmp(other));
    least.map_or(0, |(index, _)| index)
}
