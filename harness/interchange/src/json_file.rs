//! JSON files of bounded length.

use std::fs;
use std::path::Path;

use serde::de::DeserializeOwned;

use crate::error::Error;

/// Longest file that is read; indices of the largest models have a few MiB.
const MAX_BYTES: u64 = 64 << 20;

/// The value in the file `path`.
///
/// # Errors
/// If it cannot be read, is too long, or is not JSON of this type.
pub fn read<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let length = fs::metadata(path).map_err(Error::io("read", path))?.len();
    if length > MAX_BYTES {
        let problem = format!("has {length} bytes, more than 64 MiB");
        return Err(Error::content(path, problem, "give the file of a model"));
    }
    let bytes = fs::read(path).map_err(Error::io("read", path))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Error::content(
            path,
            format!("is invalid: {error}"),
            "correct it, or save the model again",
        )
    })
}
