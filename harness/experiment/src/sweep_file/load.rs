//! Loading and parsing of a [`Sweep`].

use super::error::FileError;
use super::overrides::Override;
use super::sweep::Sweep;
use super::{resolve, source};

impl Sweep {
    /// The sweep of a file, validated.
    ///
    /// # Arguments
    /// * `sweep`: a path, the name of a file in `sweeps/`, or the name of a built-in sweep.
    ///
    /// # Errors
    /// If the file cannot be read, is not TOML, or has an unknown key or an invalid or missing value.
    pub fn load(sweep: &str) -> Result<Self, FileError> {
        Self::load_with(sweep, &[])
    }

    /// The sweep of a file with the keys of `overrides` in place of the file's own, validated.
    ///
    /// # Errors
    /// As [`Sweep::load`], also for keys and values of `overrides`.
    pub fn load_with(sweep: &str, overrides: &[Override]) -> Result<Self, FileError> {
        let source = source::find(sweep)?;
        Ok(Self {
            argument: sweep.to_owned(),
            ..resolve::resolve(&source.file, &source.text, overrides)?
        })
    }

    /// The sweep of the text of a sweep file, validated; `file` is its name in error messages.
    ///
    /// # Errors
    /// If the text is not TOML, or has an unknown key or an invalid or missing value.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        resolve::resolve(file, text, &[])
    }
}
