//! Validation of configuration values; errors name the key, the value and the valid range.

use crate::SuiteError;

/// Checks that `value` is from `min` to `max`, both included.
pub(crate) fn within(key: &str, value: usize, min: usize, max: usize) -> Result<(), SuiteError> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(SuiteError::config(
        key,
        value,
        format!("write a number from {min} to {max}"),
    ))
}

/// Checks that the fraction of a split is above 0 and below 1, so that neither part is empty.
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

/// Checks that a probability is from 0 to 1, both included.
pub(crate) fn probability(key: &str, value: f64) -> Result<(), SuiteError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(SuiteError::config(key, value, "write a number from 0 to 1"))
}
