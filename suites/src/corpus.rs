//! Token files of the training and the held-out documents.
//!
//! The training tokens are those of epoch 0, epoch 1, ... of all suites. The documents of an epoch are shuffled with a
//! key of its own, and each is followed by the separator. The tokens of a file are therefore a prefix of those of every
//! longer one, and a file is extended by appending epochs.

use std::path::Path;

use crate::token_file::{TokenFile, push, width, write};
use crate::{Suite, SuiteError, Tokenizer};
use random::permutation;

/// The training tokens: whole epochs with at least `min_tokens` tokens.
///
/// # Errors
/// If the suites have no documents, the tokenizer fails, or the file is damaged or not accessible.
pub(crate) fn train(
    path: &Path,
    suites: &[Box<dyn Suite>],
    tokenizer: &Tokenizer,
    seed: u64,
    min_tokens: u64,
) -> Result<TokenFile, SuiteError> {
    let existing = if path.exists() {
        Some(TokenFile::open(path)?)
    } else {
        None
    };
    let width = width(tokenizer.vocab_size());
    let (mut epochs, mut tokens) = existing
        .as_ref()
        .map_or((0, 0), |file| (file.epochs(), file.len() as u64));
    let mut added = Vec::new();
    while tokens < min_tokens.max(1) {
        let before = added.len();
        push(
            &mut added,
            width,
            epoch_tokens(suites, tokenizer, seed, epochs)?,
        );
        if added.len() == before {
            return Err(SuiteError::config(
                "suites",
                "{}",
                "the suites have no documents; raise their sizes",
            ));
        }
        tokens += ((added.len() - before) / width) as u64;
        epochs += 1;
    }
    match existing {
        Some(file) if added.is_empty() => Ok(file),
        existing => {
            write(
                path,
                width,
                epochs,
                &[existing.as_ref().map_or(&[], TokenFile::bytes), &added],
            )?;
            TokenFile::open(path)
        }
    }
}

/// The tokens of the held-out documents of all suites, shuffled so that windows contain documents of all suites.
///
/// # Errors
/// If the tokenizer fails, or the file is damaged or not accessible.
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

/// The tokens of one epoch.
fn epoch_tokens(
    suites: &[Box<dyn Suite>],
    tokenizer: &Tokenizer,
    seed: u64,
    epoch: u64,
) -> Result<Vec<u32>, SuiteError> {
    let documents = suites
        .iter()
        .flat_map(|suite| suite.documents(epoch))
        .collect();
    shuffled_tokens(documents, tokenizer, seed, "corpus.train", epoch)
}

/// The tokens of the documents in a random order, each followed by the separator.
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
    for index in order {
        tokens.extend_from_slice(&encoded[index]);
        tokens.push(tokenizer.end());
    }
    Ok(tokens)
}
