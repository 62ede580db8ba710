//! `[corpus.LABEL]` and `[tokenizer]`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::corpora::{CorpusConfig, CorpusError, TokenizerConfig};

use super::error::FileError;
use super::labels::check_labels;
use super::read::read;
use super::tree::{LocatedNode, LocatedTable};

/// Names of suites, which cannot be labels of corpora: scores of both are found by name.
const SUITES: [&str; 4] = ["biographies", "world", "functions", "bios"];

/// The corpora by label, none without `[corpus]`; their paths are seen from the working directory.
///
/// # Errors
/// If a key is unknown or missing, or a value is invalid.
pub fn corpora(
    file: &str,
    root: &LocatedTable,
) -> Result<BTreeMap<String, CorpusConfig>, FileError> {
    let mut corpora = BTreeMap::new();
    if root.get("corpus").is_none() {
        return Ok(corpora);
    }
    check_labels(file, root, "corpus")?;
    let folder = folder(file);
    for entry in &root.section("corpus").entries {
        let LocatedNode::Table(table) = &entry.node else {
            let remedy = format!("write a section [corpus.{}]", entry.key);
            return Err(FileError::at(file, entry, "is not a table", remedy));
        };
        if SUITES.contains(&entry.key.as_str()) {
            let problem = "is the name of a suite";
            return Err(FileError::at(file, entry, problem, "choose another label"));
        }
        let mut config: CorpusConfig = read(file, table)?;
        config
            .validate(&entry.key)
            .map_err(|error| located(file, table, error))?;
        for path in &mut config.paths {
            *path = folder.join(&path);
        }
        corpora.insert(entry.key.clone(), config);
    }
    Ok(corpora)
}

/// `[tokenizer]`.
pub struct TokenizerSection {
    /// Its keys without the vocabulary size; the path is seen from the working directory.
    pub config: TokenizerConfig,
    /// `vocab_size`.
    pub vocab_size: Option<usize>,
    /// Size of the vocabulary of the file `path`.
    pub of_file: Option<usize>,
}

/// The section `tokenizer`, if there is one.
///
/// # Errors
/// If a key is unknown or a value is invalid, or the tokenizer's file cannot be read: its vocabulary is a part of every model.
pub fn tokenizer(file: &str, root: &LocatedTable) -> Result<Option<TokenizerSection>, FileError> {
    if root.get("tokenizer").is_none() {
        return Ok(None);
    }
    let section = root.section("tokenizer");
    let vocab_size: VocabularyKey = read(file, &section)?;
    let mut rest = section.clone();
    rest.take("vocab_size");
    let mut config: TokenizerConfig = read(file, &rest)?;
    config
        .validate()
        .map_err(|error| located(file, &section, error))?;
    if let Some(path) = &mut config.path {
        *path = folder(file).join(&path);
    }
    let of_file = config.read().map_err(|error| {
        let problem = format!("cannot be used ({error})");
        FileError::of(file, &section, "path", problem, "correct it")
    })?;
    Ok(Some(TokenizerSection {
        config,
        vocab_size: vocab_size.vocab_size,
        of_file: of_file.map(|tokenizer| tokenizer.vocab_size()),
    }))
}

#[derive(serde::Deserialize)]
struct VocabularyKey {
    vocab_size: Option<usize>,
}

/// The folder from which relative paths of the sweep file begin. A file that a shell opened has none.
fn folder(file: &str) -> PathBuf {
    let path = Path::new(file);
    if ["/dev", "/proc"]
        .iter()
        .any(|shell| path.starts_with(shell))
    {
        return PathBuf::new();
    }
    path.parent().map(Path::to_owned).unwrap_or_default()
}

/// The error of a section's key, whose name is dotted, at the key's position.
fn located(file: &str, section: &LocatedTable, error: CorpusError) -> FileError {
    match error {
        CorpusError::Config { key, value, remedy } => {
            let key = key.rsplit('.').next().unwrap_or(&key);
            FileError::of(file, section, key, format!("= {value}"), remedy)
        }
        other => FileError::within(file, section, other.to_string(), "correct the section"),
    }
}
