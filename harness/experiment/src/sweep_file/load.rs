//! From a path or a name to a checked [`Sweep`].

use super::error::FileError;
use super::sweep::Sweep;
use super::{resolve, source};

impl Sweep {
    /// Reads and checks a sweep file.
    ///
    /// # Arguments
    /// * `sweep`: a path, the name of a file in `sweeps/`, or the name of a built-in sweep.
    ///
    /// # Errors
    /// Where the file cannot be read, is not TOML, or has a key or value that is not valid.
    pub fn load(sweep: &str) -> Result<Self, FileError> {
        let found = source::find(sweep)?;
        let argument = sweep.to_owned();
        Ok(Self {
            argument,
            ..Self::parse(&found.file, &found.text)?
        })
    }

    /// Checks the text of a sweep file called `file`.
    ///
    /// # Errors
    /// Where the text is not TOML, or has a key or value that is not valid.
    pub fn parse(file: &str, text: &str) -> Result<Self, FileError> {
        resolve::resolve(file, text)
    }
}
