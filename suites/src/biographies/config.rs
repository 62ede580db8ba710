//! `[suites.biographies]` of a sweep file.

use serde::{Deserialize, Serialize};

use super::names::NAME_SPACE;
use crate::SuiteError;
use crate::validation::{documents, probability, split_fraction, within};

/// Attributes of a person.
const ATTRIBUTES: usize = 6;

/// Configuration of the suite `biographies`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BiographiesConfig {
    /// Number of people; each has six attributes.
    pub people: usize,
    /// Number of statements of each fact in one epoch, each with its own random phrasing.
    pub repeats: usize,
    /// Fraction of the people whose questions are trained on; the others form the test split.
    pub train_fraction: f64,
    /// Probability that a statement about a person of the train split is accompanied by a question.
    pub question_rate: f64,
    /// Maximum number of test items per attribute.
    pub questions: usize,
}

impl Default for BiographiesConfig {
    fn default() -> Self {
        Self {
            people: 300,
            repeats: 1,
            train_fraction: 0.5,
            question_rate: 0.5,
            questions: 64,
        }
    }
}

impl BiographiesConfig {
    /// Validates every value.
    ///
    /// # Errors
    /// For the first key whose value is out of range.
    pub(crate) fn validate(&self) -> Result<(), SuiteError> {
        let key = |name: &str| format!("suites.biographies.{name}");
        within(&key("people"), self.people, 2, NAME_SPACE / 2)?;
        within(&key("repeats"), self.repeats, 1, 1000)?;
        documents(&key("repeats"), self.people * ATTRIBUTES, self.repeats)?;
        within(&key("questions"), self.questions, 1, 1_000_000)?;
        split_fraction(&key("train_fraction"), self.train_fraction)?;
        probability(&key("question_rate"), self.question_rate)
    }
}
