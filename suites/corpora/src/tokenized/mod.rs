//! Corpora as tokens in the cache folder: made once, in shards, any document of which can be read by its number.

mod content_hash;
mod corpus;
mod duplicates;
mod encode;
mod manifest;
mod prepare;
mod shard;

#[cfg(test)]
pub(crate) mod tests;

pub use corpus::{Corpus, HeldOutDocument};
pub use manifest::Counts;
