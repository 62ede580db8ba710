//! Text corpora: documents of files, the tokenizer, and token files that are prepared once and checked by hash.

mod cache;
mod config;
mod document_hash;
mod error;
mod hashed_file;
mod mixture;
mod positioned;
mod progress;
mod recent;
mod sample;
mod source;
mod token_file;
mod tokenized;
mod tokenizer;

pub use cache::CacheLock;
pub use config::{CorpusConfig, TokenFormat, TokenizerConfig, check_weight};
pub use error::CorpusError;
pub use mixture::{
    CorpusSource, DocumentSource, HeldOutSource, SourcePosition, TokenStream, Weighted, extend,
    held_out,
};
pub use progress::{Observer, Progress, Stage};
pub use sample::sample;
pub use source::{fetch, is_url};
pub use token_file::{TokenFile, Tokens, Writer, write};
pub use tokenized::{Corpus, Counts, HeldOutDocument};
pub use tokenizer::{END, EndToken, Tokenizer};

// Another checkout that shares the target folder compiles this crate again: see .cargo/config.toml.
const _: Option<&str> = option_env!("ISOFLOP_CHECKOUT");
