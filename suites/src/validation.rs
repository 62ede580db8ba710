//! Checks of configuration values; an error names the key, the value and what to write instead.

use crate::SuiteError;

/// A count from `least` to `most`, both included.
pub(crate) fn within(key: &str, value: usize, least: usize, most: usize) -> Result<(), SuiteError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(SuiteError::config(
        key,
        value,
        format!("write a number from {least} to {most}"),
    ))
}

/// The fraction of a split: above 0 and below 1, because both parts must have members.
pub(crate) fn split_fraction(key: &str, value: f64) -> Result<(), SuiteError> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(SuiteError::config(
        key,
        value,
        "write a number above 0 and below 1",
    ))
}

/// A probability: from 0 to 1, both included.
pub(crate) fn probability(key: &str, value: f64) -> Result<(), SuiteError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(SuiteError::config(key, value, "write a number from 0 to 1"))
}
