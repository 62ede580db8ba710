//! Files of token ids, every part of which is checked by hash when it is read.

mod header;
mod reader;
mod writer;

pub use reader::TokenFile;
pub use writer::{Writer, write};

#[cfg(test)]
mod tests;
