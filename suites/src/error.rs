//! Errors of the crate, each in one line with its remedy.

use corpora::CorpusError;

/// An error of the configuration, of the cache, of the tokenizer or of the model under evaluation.
#[derive(Debug, thiserror::Error)]
pub enum SuiteError {
    /// A key of the `[suites]` section has an invalid value.
    #[error("{key} = {value}: {remedy}")]
    Config {
        /// Dotted key, as written in a sweep file.
        key: String,
        /// The invalid value.
        value: String,
        /// How to correct it.
        remedy: String,
    },
    /// The cache or the tokenizer.
    #[error(transparent)]
    Corpus(#[from] CorpusError),
    /// The model under evaluation returned an error.
    #[error(transparent)]
    Model(#[from] crate::ModelError),
}

impl SuiteError {
    /// An invalid value of a key.
    pub(crate) fn config(key: &str, value: impl ToString, remedy: impl Into<String>) -> Self {
        Self::Config {
            key: key.to_owned(),
            value: value.to_string(),
            remedy: remedy.into(),
        }
    }
}
