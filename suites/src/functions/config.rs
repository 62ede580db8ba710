//! `[suites.functions]` of a sweep file.

use serde::{Deserialize, Serialize};

use super::catalog::OPERATIONS;
use crate::SuiteError;
use crate::validation::{documents, split_fraction, within};

/// Configuration of the suite `functions`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionsConfig {
    /// Number of functions of both splits, including the single operations, which are always trained on.
    pub compositions: usize,
    /// Maximum number of operations in one function, 2 or 3.
    pub operations: usize,
    /// Number of documents of each trained function in one epoch, each with its own random example.
    pub repeats: usize,
    /// Fraction of the functions of two or more operations that is trained on; the others form the test split.
    pub train_fraction: f64,
    /// Maximum number of tested functions.
    pub questions: usize,
}

impl Default for FunctionsConfig {
    fn default() -> Self {
        Self {
            compositions: 200,
            operations: 3,
            repeats: 1,
            train_fraction: 0.75,
            questions: 48,
        }
    }
}

impl FunctionsConfig {
    /// Validates every value.
    ///
    /// # Errors
    /// For the first key whose value is out of range.
    pub(crate) fn validate(&self) -> Result<(), SuiteError> {
        let key = |name: &str| format!("suites.functions.{name}");
        let min = OPERATIONS + 2;
        within(&key("operations"), self.operations, 2, 3)?;
        within(&key("compositions"), self.compositions, min, 100_000)?;
        within(&key("repeats"), self.repeats, 1, 1000)?;
        documents(&key("repeats"), self.compositions, self.repeats)?;
        within(&key("questions"), self.questions, 1, 1_000_000)?;
        split_fraction(&key("train_fraction"), self.train_fraction)
    }
}
