//! `init_from` of `[training]`: a model whose parameters runs begin with.

use architectures::ConfigError;
use serde::{Deserialize, Serialize};

/// Hexadecimal digits of a fingerprint.
const DIGITS: std::ops::RangeInclusive<usize> = 16..=64;

/// A folder of a model, written by `isoflop export` or in a layout of Hugging Face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InitFrom {
    /// The folder, relative to the working directory.
    pub folder: String,
    /// The first 16 or more digits of the model's fingerprint, which make the weights part of a run's identity. Without it a run
    /// ends with an error that states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
}

impl InitFrom {
    /// Validates the values; the folder is read when a run begins.
    ///
    /// # Errors
    /// If the fingerprint is no fingerprint.
    pub fn check(&self) -> Result<(), ConfigError> {
        let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        let Some(fingerprint) = &self.fingerprint else {
            return Ok(());
        };
        if DIGITS.contains(&fingerprint.len()) && fingerprint.bytes().all(is_hexadecimal) {
            return Ok(());
        }
        Err(ConfigError::new(
            "init_from",
            format!(
                "has the fingerprint {fingerprint:?}, which is not 16 to 64 hexadecimal digits"
            ),
            "leave it out: the first run then says what to write",
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fingerprints_are_hexadecimal() {
        let check = |fingerprint: &str| {
            let fingerprint = Some(fingerprint.to_owned());
            let folder = "model".to_owned();
            InitFrom {
                folder,
                fingerprint,
            }
            .check()
        };
        assert!(check("0123456789abcdef").is_ok());
        assert!(check(&"a".repeat(64)).is_ok());
        for invalid in [
            "",
            "0123456789abcde",
            "0123456789abcdeg",
            "0123456789ABCDEF",
            &"a".repeat(65),
        ] {
            let message = check(invalid).unwrap_err().to_string();
            assert!(
                message.contains("`init_from` has the fingerprint"),
                "{message}"
            );
        }
    }
}
