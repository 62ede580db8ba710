//! Documents to token files.
//!
//! The training stream is pass 0, pass 1, ... of all suites together, each pass shuffled by its own key and each
//! document followed by the separator. A longer file therefore has every shorter one as its prefix, and is made from
//! it by appending passes.

use std::path::Path;

use crate::random::permutation;
use crate::token_file::{TokenFile, push, width, write};
use crate::{Suite, SuiteError, Tokenizer};

/// The training stream with at least `min_tokens` tokens, in whole passes.
pub(crate) fn train(
    path: &Path,
    suites: &[Box<dyn Suite>],
    tokenizer: &Tokenizer,
    seed: u64,
    min_tokens: u64,
) -> Result<TokenFile, SuiteError> {
    let present = if path.exists() {
        Some(TokenFile::open(path)?)
    } else {
        None
    };
    let width = width(tokenizer.vocab_size());
    let (mut passes, mut held) = present
        .as_ref()
        .map_or((0, 0), |file| (file.passes(), file.len() as u64));
    let mut added = Vec::new();
    while held < min_tokens.max(1) {
        let before = added.len();
        push(
            &mut added,
            width,
            pass_tokens(suites, tokenizer, seed, passes)?,
        );
        if added.len() == before {
            return Err(SuiteError::config(
                "suites",
                "{}",
                "the suites hold no documents; raise their sizes",
            ));
        }
        held += ((added.len() - before) / width) as u64;
        passes += 1;
    }
    match present {
        Some(file) if added.is_empty() => Ok(file),
        present => {
            write(
                path,
                width,
                passes,
                &[present.as_ref().map_or(&[], TokenFile::bytes), &added],
            )?;
            TokenFile::open(path)
        }
    }
}

/// The held-out documents of all suites, shuffled once so that any window holds some of each.
pub(crate) fn held_out(
    path: &Path,
    suites: &[Box<dyn Suite>],
    tokenizer: &Tokenizer,
    seed: u64,
) -> Result<TokenFile, SuiteError> {
    if !path.exists() {
        let documents = suites
            .iter()
            .flat_map(|suite| suite.held_out_documents())
            .collect();
        let tokens = shuffled_tokens(documents, tokenizer, seed, "corpus.held_out", 0)?;
        let width = width(tokenizer.vocab_size());
        let mut bytes = Vec::new();
        push(&mut bytes, width, tokens);
        write(path, width, 1, &[&bytes])?;
    }
    TokenFile::open(path)
}

fn pass_tokens(
    suites: &[Box<dyn Suite>],
    tokenizer: &Tokenizer,
    seed: u64,
    pass: u64,
) -> Result<Vec<u32>, SuiteError> {
    let documents = suites
        .iter()
        .flat_map(|suite| suite.documents(pass))
        .collect();
    shuffled_tokens(documents, tokenizer, seed, "corpus.train", pass)
}

fn shuffled_tokens(
    documents: Vec<String>,
    tokenizer: &Tokenizer,
    seed: u64,
    stream: &str,
    step: u64,
) -> Result<Vec<u32>, SuiteError> {
    let order = permutation(documents.len(), seed, stream, step);
    let encoded = tokenizer.encode_all(documents)?;
    let mut tokens = Vec::with_capacity(encoded.iter().map(|ids| ids.len() + 1).sum());
    for place in order {
        tokens.extend_from_slice(&encoded[place]);
        tokens.push(tokenizer.end());
    }
    Ok(tokens)
}
