//! `[corpus.LABEL]` and `[tokenizer]` of a sweep file.

use std::path::PathBuf;

use serde::{Deserialize, Deserializer, Serialize};

use crate::{CorpusError, EndToken, Tokenizer};

/// Largest number of bytes of the texts on which a tokenizer is trained.
const MAX_SAMPLE_BYTES: u64 = 1 << 30;

/// `[corpus.LABEL]`: files of text, or of tokens that others made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CorpusConfig {
    /// Files, folders, globs, and URLs of object stores and web servers, which [`crate::fetch`] turns into local paths; a relative path is
    /// one from the folder of the sweep file.
    #[serde(deserialize_with = "one_or_several")]
    pub paths: Vec<PathBuf>,
    /// Share of the training tokens, relative to the weights of the other corpora and of the suites.
    #[serde(default = "one")]
    pub weight: f64,
    /// Share of the documents that are held out, chosen by the hash of their content.
    #[serde(default = "default_held_out")]
    pub held_out: f64,
    /// The field of a JSON object, or the column of a Parquet file, that has the text.
    #[serde(default = "default_text_field")]
    pub text_field: String,
    /// What separates the documents of a text file; without it a file is one document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<String>,
    /// Whether records that cannot be read are left out and counted, instead of an error.
    #[serde(default)]
    pub skip_bad: bool,
    /// Number format of `.npy` files of tokens, which do not state it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dtype: Option<TokenFormat>,
    /// Largest number of held-out tokens that are scored after training.
    #[serde(default = "default_scored_tokens")]
    pub scored_tokens: u64,
}

/// Number format of the token ids in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenFormat {
    /// Two bytes each.
    Uint16,
    /// Four bytes each.
    Uint32,
}

/// A path, or a list of paths.
fn one_or_several<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<PathBuf>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a path, or a list of paths")]
    enum Paths {
        One(PathBuf),
        Several(Vec<PathBuf>),
    }
    Ok(match Paths::deserialize(value)? {
        Paths::One(path) => vec![path],
        Paths::Several(paths) => paths,
    })
}

fn one() -> f64 {
    1.0
}

fn default_held_out() -> f64 {
    0.01
}

fn default_text_field() -> String {
    "text".to_owned()
}

fn default_scored_tokens() -> u64 {
    1 << 16
}

impl CorpusConfig {
    /// The corpus of files, with default settings.
    pub fn new(paths: Vec<PathBuf>) -> Self {
        Self {
            paths,
            weight: one(),
            held_out: default_held_out(),
            text_field: default_text_field(),
            separator: None,
            skip_bad: false,
            dtype: None,
            scored_tokens: default_scored_tokens(),
        }
    }

    /// Validates every value; keys in errors begin with `corpus.LABEL`.
    ///
    /// # Errors
    /// For the first key whose value is out of range.
    pub fn validate(&self, label: &str) -> Result<(), CorpusError> {
        let invalid = |key: &str, value: String, remedy: &str| {
            Err(CorpusError::config(
                &format!("corpus.{label}.{key}"),
                value,
                remedy,
            ))
        };
        if self.paths.is_empty() {
            let remedy = "write at least one file, folder or glob";
            return invalid("paths", "[]".to_owned(), remedy);
        }
        check_weight(&format!("corpus.{label}.weight"), self.weight)?;
        if !(self.held_out > 0.0 && self.held_out <= 0.5) {
            let remedy = "write a share above 0 and at most 0.5";
            return invalid("held_out", self.held_out.to_string(), remedy);
        }
        if self.text_field.is_empty() {
            let remedy = "write the name of the field that has the text";
            return invalid("text_field", "\"\"".to_owned(), remedy);
        }
        if self.separator.as_deref() == Some("") {
            let remedy =
                "write the text between documents, or omit the key: a file is then one document";
            return invalid("separator", "\"\"".to_owned(), remedy);
        }
        if self.scored_tokens == 0 {
            let remedy = "write a number of tokens from 1";
            return invalid("scored_tokens", "0".to_owned(), remedy);
        }
        Ok(())
    }
}

/// Checks a weight, the value of `key`.
///
/// # Errors
/// If it is no number above 0, or above one million.
pub fn check_weight(key: &str, weight: f64) -> Result<(), CorpusError> {
    if weight > 0.0 && weight <= 1e6 {
        return Ok(());
    }
    let remedy = "write a number above 0 and at most 1000000";
    Err(CorpusError::config(key, weight, remedy))
}

/// `[tokenizer]`: one for the whole sweep. Without `path` it is trained on a sample of all data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenizerConfig {
    /// A file `tokenizer.json`; a relative path is one from the folder of the sweep file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<PathBuf>,
    /// The token that ends every document, of a tokenizer that is read from a file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_token: Option<String>,
    /// Largest number of bytes of text on which a tokenizer is trained, over all data together.
    #[serde(default = "default_sample_bytes")]
    pub sample_bytes: u64,
}

fn default_sample_bytes() -> u64 {
    1 << 25
}

impl Default for TokenizerConfig {
    fn default() -> Self {
        Self {
            path: None,
            end_token: None,
            sample_bytes: default_sample_bytes(),
        }
    }
}

impl TokenizerConfig {
    /// Validates every value.
    ///
    /// # Errors
    /// For the first key whose value is out of range or has no effect.
    pub fn validate(&self) -> Result<(), CorpusError> {
        if let (None, Some(end)) = (&self.path, &self.end_token) {
            let remedy = "remove it: a tokenizer that is trained here has an end token of its own";
            return Err(CorpusError::config("tokenizer.end_token", end, remedy));
        }
        if !(1..=MAX_SAMPLE_BYTES).contains(&self.sample_bytes) {
            let remedy = format!("write a number from 1 to {MAX_SAMPLE_BYTES}");
            return Err(CorpusError::config(
                "tokenizer.sample_bytes",
                self.sample_bytes,
                remedy,
            ));
        }
        Ok(())
    }

    /// The tokenizer of the file; `None` if it is to be trained.
    ///
    /// # Errors
    /// If the file cannot be read or is no tokenizer, or its end token is not known.
    pub fn read(&self) -> Result<Option<Tokenizer>, CorpusError> {
        let end = match &self.end_token {
            Some(text) => EndToken::Text(text),
            None => EndToken::Usual,
        };
        let read = |path: &PathBuf| Tokenizer::from_file(path, end);
        self.path.as_ref().map(read).transpose()
    }
}
