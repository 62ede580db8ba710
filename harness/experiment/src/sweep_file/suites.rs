//! `[suites]`: the vocabulary size, the seed, and the sections of the suites; with `[corpus]` and `[tokenizer]` all data of a sweep.

use ::corpora::{CorpusError, check_weight};
use architectures::MAX_VOCAB_SIZE;
use serde::Deserialize;
use suites::{SuiteError, SuitesConfig, Tokenizer};

use super::corpora::{TokenizerSection, corpora, tokenizer};
use super::error::FileError;
use super::read::read;
use super::sweep::DataConfig;
use super::tree::LocatedTable;

/// The keys of `[suites]` that are not sections.
#[derive(Default, Deserialize)]
struct CorpusKeys {
    vocab_size: Option<usize>,
    weight: Option<f64>,
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

/// The data of `[suites]`, `[corpus]` and `[tokenizer]`, and whether each seed has facts of its own.
///
/// # Errors
/// If a key is unknown or missing, or a value is invalid.
pub fn data(file: &str, root: &LocatedTable) -> Result<(DataConfig, bool), FileError> {
    let corpora = corpora(file, root)?;
    let tokenizer = tokenizer(file, root)?;
    if corpora.is_empty() && root.get("suites").is_none() {
        let remedy = "add it here, or `corpus`";
        return Err(FileError::of(file, root, "suites", "is missing", remedy));
    }
    let whole = root.section("suites");
    let keys: CorpusKeys = read(file, &whole)?;
    let vocab_size = vocab_size(file, root, keys.vocab_size, tokenizer.as_ref())?;
    if let Some(weight) = keys.weight {
        if corpora.is_empty() {
            let remedy = "remove it: there is no `corpus` with which the suites share the tokens";
            return Err(FileError::of(
                file,
                &whole,
                "weight",
                "has no effect",
                remedy,
            ));
        }
        check_weight("suites.weight", weight)
            .map_err(|error| located_error(file, &whole, error.into()))?;
    }
    let mut section = whole;
    for key in ["vocab_size", "seed", "weight"] {
        section.take(key);
    }
    let suites: SuitesConfig = read(file, &section)?;
    if corpora.is_empty() || !suites.is_empty() {
        suites
            .validate()
            .map_err(|error| located_error(file, &section, error))?;
    }
    let (seed, fresh_facts) = match keys.seed {
        FactSeed::Fixed(seed) => (seed, false),
        FactSeed::OfRun(OfRun::Run) => (0, true),
    };
    let data = DataConfig {
        vocab_size,
        seed,
        suites_weight: keys.weight,
        suites,
        tokenizer: tokenizer.map(|tokenizer| tokenizer.config),
        corpora,
    };
    Ok((data, fresh_facts))
}

/// The size of the vocabulary: that of `suites.vocab_size`, of `tokenizer.vocab_size`, or of the tokenizer's file.
fn vocab_size(
    file: &str,
    root: &LocatedTable,
    of_suites: Option<usize>,
    tokenizer: Option<&TokenizerSection>,
) -> Result<usize, FileError> {
    let (suites, section) = (root.section("suites"), root.section("tokenizer"));
    let of_tokenizer = tokenizer.and_then(|tokenizer| tokenizer.vocab_size);
    let of_file = tokenizer.and_then(|tokenizer| tokenizer.of_file);
    let error = |table: &LocatedTable, problem: String, remedy: &str| {
        FileError::of(file, table, "vocab_size", problem, remedy)
    };
    let (table, vocab_size) = match (of_suites, of_tokenizer, of_file) {
        (None, None, Some(size)) if size > MAX_VOCAB_SIZE => {
            let problem = format!("has a vocabulary of {size}, more than {MAX_VOCAB_SIZE}");
            let remedy = "choose another tokenizer";
            return Err(FileError::of(file, &section, "path", problem, remedy));
        }
        (None, None, Some(size)) => return Ok(size),
        (Some(_), _, Some(_)) => {
            let remedy = "remove it: the vocabulary is that of `tokenizer.path`";
            return Err(error(&suites, "is given twice".to_owned(), remedy));
        }
        (_, Some(_), Some(_)) => {
            let remedy = "remove it: the vocabulary is that of `tokenizer.path`";
            return Err(error(&section, "is given twice".to_owned(), remedy));
        }
        (Some(_), Some(_), None) => {
            let remedy = "remove it here or in `suites`";
            return Err(error(&section, "is given twice".to_owned(), remedy));
        }
        (Some(size), None, None) => (&suites, size),
        (None, Some(size), None) => (&section, size),
        (None, None, None) if root.get("suites").is_none() => {
            return Err(error(&section, "is missing".to_owned(), "add it here"));
        }
        (None, None, None) => return Err(error(&suites, "is missing".to_owned(), "add it here")),
    };
    let min = Tokenizer::MIN_VOCAB_SIZE;
    if vocab_size < min {
        let problem = format!("= {vocab_size} is less than the number of bytes and the separator");
        return Err(error(table, problem, &format!("write {min} or more")));
    }
    if vocab_size > MAX_VOCAB_SIZE {
        let problem = format!("= {vocab_size} exceeds {MAX_VOCAB_SIZE}");
        return Err(error(table, problem, "lower it: this is the largest value"));
    }
    Ok(vocab_size)
}

/// The error of a suite's configuration, whose keys are dotted paths such as `suites.biographies.people`, at the key's
/// position.
fn located_error(file: &str, section: &LocatedTable, error: SuiteError) -> FileError {
    match error {
        SuiteError::Corpus(CorpusError::Config { key, value, remedy }) => {
            let key = key.rsplit('.').next().unwrap_or(&key);
            FileError::of(file, section, key, format!("= {value}"), remedy)
        }
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
