//! `[suites.world]` of a sweep file.

use serde::{Deserialize, Serialize};

use super::relations::RELATIONS;
use crate::SuiteError;
use crate::validation::{documents, probability, split_fraction, within};

/// Configuration of the suite `world`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldConfig {
    /// Number of facts, divided evenly over the relations; a relation with fewer facts contributes all of them.
    pub facts: usize,
    /// Number of statements of each fact in one epoch, each with its own random phrasing.
    pub repeats: usize,
    /// Fraction of the subjects whose questions are trained on; the others form the test split.
    pub train_fraction: f64,
    /// Probability that a statement about a subject of the train split is accompanied by a question.
    pub question_rate: f64,
    /// Maximum number of test items per relation.
    pub questions: usize,
}

impl Default for WorldConfig {
    fn default() -> Self {
        Self {
            facts: 400,
            repeats: 1,
            train_fraction: 0.5,
            question_rate: 0.5,
            questions: 64,
        }
    }
}

impl WorldConfig {
    /// Validates every value.
    ///
    /// # Errors
    /// For the first key whose value is out of range.
    pub(crate) fn validate(&self) -> Result<(), SuiteError> {
        let key = |name: &str| format!("suites.world.{name}");
        within(&key("facts"), self.facts, 2 * RELATIONS, 100_000)?;
        within(&key("repeats"), self.repeats, 1, 1000)?;
        documents(&key("repeats"), self.facts, self.repeats)?;
        within(&key("questions"), self.questions, 1, 1_000_000)?;
        split_fraction(&key("train_fraction"), self.train_fraction)?;
        probability(&key("question_rate"), self.question_rate)
    }
}
