//! Token files of the training and the held-out documents.
//!
//! The training tokens are those of epoch 0, epoch 1, ... of all suites. The documents of an epoch are shuffled with a
//! key of its own, and each is followed by the separator. The tokens of a file are therefore a prefix of those of every
//! longer one, and a file is extended by appending epochs.

use std::path::Path;

use corpora::{TokenFile, write};

use crate::{Suite, SuiteError, Tokenizer};
use random::permutation;

/// Name of the random stream of the order of the documents of an epoch.
pub(crate) const TRAIN_STREAM: &str = "corpus.train";
/// Name of that of the held-out documents.
pub(crate) const HELD_OUT_STREAM: &str = "corpus.held_out";

/// The training tokens: whole epochs with at least `min_tokens` tokens. One epoch at a time is in memory.
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
    let vocab_size = tokenizer.vocab_size();
    let existing = match TokenFile::cached(path, vocab_size)? {
        Some(file) if file.len() as u64 >= min_tokens => return Ok(file),
        existing => existing,
    };
    write(path, vocab_size, |writer| {
        let mut epochs = 0;
        if let Some(file) = &existing {
            writer.append(file)?;
            epochs = file.epochs();
        }
        while writer.tokens() < min_tokens.max(1) {
            let tokens = epoch_tokens(suites, tokenizer, seed, epochs)?;
            if tokens.is_empty() {
                return Err(SuiteError::config(
                    "suites",
                    "{}",
                    "the suites have no documents; raise their sizes",
                ));
            }
            writer.push(&tokens)?;
            epochs += 1;
        }
        Ok(epochs)
    })?;
    Ok(TokenFile::open(path)?)
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
    if let Some(file) = TokenFile::cached(path, tokenizer.vocab_size())? {
        return Ok(file);
    }
    let documents = suites
        .iter()
        .flat_map(|suite| suite.held_out_documents())
        .collect();
    let tokens = shuffled_tokens(documents, tokenizer, seed, HELD_OUT_STREAM, 0)?;
    write(path, tokenizer.vocab_size(), |writer| {
        writer.push(&tokens)?;
        Ok::<_, SuiteError>(1)
    })?;
    Ok(TokenFile::open(path)?)
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
    shuffled_tokens(documents, tokenizer, seed, TRAIN_STREAM, epoch)
}

/// The tokens of the documents in a random order, each followed by the separator.
fn shuffled_tokens(
    documents: Vec<String>,
    tokenizer: &Tokenizer,
    seed: u64,
    stream: &str,
    step: u64,
) -> Result<Vec<u32>, SuiteError> {
    Ok(shuffled(documents, tokenizer, seed, stream, step)?.concat())
}

/// The tokens of each document in a random order, with the separator.
pub(crate) fn shuffled(
    documents: Vec<String>,
    tokenizer: &Tokenizer,
    seed: u64,
    stream: &str,
    step: u64,
) -> Result<Vec<Vec<u32>>, SuiteError> {
    let order = permutation(documents.len(), seed, stream, step);
    let mut encoded = tokenizer.encode_all(documents)?;
    let ended = order.into_iter().map(|index| {
        let mut ids = std::mem::take(&mut encoded[index]);
        ids.push(tokenizer.end());
        ids
    });
    Ok(ended.collect())
}
