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

/// Largest number of documents of one epoch of a suite: an epoch is prepared in memory.
const MAX_DOCUMENTS: usize = 10_000_000;

/// Checks the number of documents of an epoch, `facts` times `repeats`, the value of `key`.
pub(crate) fn documents(key: &str, facts: usize, repeats: usize) -> Result<(), SuiteError> {
    if facts.saturating_mul(repeats) <= MAX_DOCUMENTS {
        return Ok(());
    }
    let most = MAX_DOCUMENTS / facts.max(1);
    let remedy =
        format!("an epoch has at most {MAX_DOCUMENTS} documents; write a number from 1 to {most}");
    Err(SuiteError::config(key, repeats, remedy))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_documents_is_bounded() {
        assert!(documents("k", 10_000, 1000).is_ok());
        let error = documents("k", 737_280 * 6, 3).unwrap_err().to_string();
        assert!(
            error.contains("k = 3") && error.contains("from 1 to 2"),
            "{error}"
        );
        assert!(documents("k", usize::MAX, 2).is_err());
    }
}
