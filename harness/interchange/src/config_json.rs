//! `config.json` of transformers: from and to a [`ModelConfig`].
//!
//! Reading is strict. A key is used, has the one value whose function we compute, is known to have no effect on the function, or is
//! an error that names it.

mod keys;
mod read;
mod rotary;
mod write;

pub use read::read;
pub use write::write;

/// Name of the file.
pub const FILE: &str = "config.json";

#[cfg(test)]
mod tests;
