//! `[suites]`: the vocabulary size, the seed, and the sections of the suites.

use architectures::MAX_VOCAB_SIZE;
use serde::Deserialize;
use suites::{SuiteError, SuitesConfig, Tokenizer};

use super::error::FileError;
use super::read::read;
use super::sweep::DataConfig;
use super::tree::LocatedTable;

/// The keys of `[suites]` that are not sections.
#[derive(Deserialize)]
struct CorpusKeys {
    vocab_size: usize,
    #[serde(default)]
    seed: FactSeed,
}

/// `seed`: a number, or `"run"` for the seed of each run.
#[derive(Clone, Copy, Deserialize)]
#[serde(
    untagged,
    expecting = "a whole number, or \"run\": then each seed has facts of its own"
)]
enum FactSeed {
    Fixed(u64),
    OfRun(OfRun),
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OfRun {
    Run,
}

impl Default for FactSeed {
    fn default() -> Self {
        Self::Fixed(0)
    }
}

/// The data of `[suites]`, and whether each seed has facts of its own.
///
/// # Errors
/// If a key is unknown or missing, or a value is invalid.
pub fn data(file: &str, root: &LocatedTable) -> Result<(DataConfig, bool), FileError> {
    let whole = root.section("suites");
    let corpus: CorpusKeys = read(file, &whole)?;
    let (vocab_size, min) = (corpus.vocab_size, Tokenizer::MIN_VOCAB_SIZE);
    if vocab_size < min {
        let problem = format!("= {vocab_size} is less than the number of bytes and the separator");
        return Err(FileError::of(
            file,
            &whole,
            "vocab_size",
            problem,
            format!("write {min} or more"),
        ));
    }
    if vocab_size > MAX_VOCAB_SIZE {
        let problem = format!("= {vocab_size} exceeds {MAX_VOCAB_SIZE}");
        let remedy = "lower it: this is the largest value";
        return Err(FileError::of(file, &whole, "vocab_size", problem, remedy));
    }
    let mut section = whole;
    section.take("vocab_size");
    section.take("seed");
    let suites: SuitesConfig = read(file, &section)?;
    suites
        .validate()
        .map_err(|error| located_error(file, &section, error))?;
    let (seed, fresh_facts) = match corpus.seed {
        FactSeed::Fixed(seed) => (seed, false),
        FactSeed::OfRun(OfRun::Run) => (0, true),
    };
    let data = DataConfig {
        vocab_size,
        seed,
        suites,
    };
    Ok((data, fresh_facts))
}

/// The error of a suite's configuration, whose keys are dotted paths such as `suites.biographies.people`, at the key's
/// position.
fn located_error(file: &str, section: &LocatedTable, error: SuiteError) -> FileError {
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
        other => FileError::within(file, section, other.to_string(), "correct the section"),
    }
}
