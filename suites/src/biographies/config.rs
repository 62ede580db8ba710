//! `[suites.biographies]` of a sweep file.

use serde::{Deserialize, Serialize};

use super::names::NAME_SPACE;
use crate::SuiteError;
use crate::validation::{probability, split_fraction, within};

/// `[suites.biographies]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BiographiesConfig {
    /// Number of people; each has six attributes.
    pub people: usize,
    /// Number of times that each statement occurs in one epoch, newly phrased each time.
    pub repeats: usize,
    /// Fraction of the people whose questions are trained on; the others form the test split.
    pub train_fraction: f64,
    /// Probability that a question of the train split occurs in one repeat of an epoch.
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
    /// An error names the first key whose value is out of range.
    pub(crate) fn validate(&self) -> Result<(), SuiteError> {
        let key = |name: &str| format!("suites.biographies.{name}");
        within(&key("people"), self.people, 2, NAME_SPACE / 2)?;
        within(&key("repeats"), self.repeats, 1, 1000)?;
        within(&key("questions"), self.questions, 1, 1_000_000)?;
        split_fraction(&key("train_fraction"), self.train_fraction)?;
        probability(&key("question_rate"), self.question_rate)
    }
}
