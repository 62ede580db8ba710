//! `[suites]`: the suites' own keys beside the vocabulary and the seed.

use serde::Deserialize;
use suites::{SuiteError, SuitesConfig, Tokenizer};

use super::error::FileError;
use super::read::read;
use super::sweep::Data;
use super::tree::Table;

#[derive(Deserialize)]
struct Corpus {
    vocab_size: usize,
    #[serde(default)]
    seed: u64,
}

/// Reads and checks `[suites]`.
pub fn data(file: &str, root: &Table) -> Result<Data, FileError> {
    let whole = root.section("suites");
    let corpus: Corpus = read(file, &whole)?;
    let (vocab_size, least) = (corpus.vocab_size, Tokenizer::LEAST_VOCABULARY);
    if vocab_size < least {
        let problem = format!("= {vocab_size} is too small for every byte");
        return Err(FileError::of(
            file,
            &whole,
            "vocab_size",
            problem,
            format!("write {least} or more"),
        ));
    }
    let mut section = whole;
    section.take("vocab_size");
    section.take("seed");
    let suites: SuitesConfig = read(file, &section)?;
    suites
        .validate()
        .map_err(|error| located_error(file, &section, error))?;
    Ok(Data {
        vocab_size,
        seed: corpus.seed,
        suites,
    })
}

/// The suites name their keys in full: `suites.biographies.people`.
fn located_error(file: &str, section: &Table, error: SuiteError) -> FileError {
    match error {
        SuiteError::Config { key, value, remedy } => match key.split('.').collect::<Vec<_>>()[..] {
            [_, suite, key] => FileError::of(
                file,
                &section.section(suite),
                key,
                format!("= {value}"),
                remedy,
            ),
            _ => FileError::within(file, section, format!("= {value}"), remedy),
        },
        other => FileError::within(file, section, other.to_string(), "correct it"),
    }
}
