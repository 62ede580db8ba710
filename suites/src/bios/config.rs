//! `[suites.bios]` of a sweep file.

use serde::{Deserialize, Serialize};

use super::pools::NAMES;
use super::sentences::TEMPLATES;
use crate::SuiteError;
use crate::validation::within;

/// Configuration of the suite `bios`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BiosConfig {
    /// Number of people. An epoch has one biography of each, which is one exposure.
    pub people: usize,
    /// Number of templates of each of the six sentences.
    pub templates: usize,
    /// Maximum number of people whose biographies are evaluated.
    pub evaluated: usize,
}

impl Default for BiosConfig {
    fn default() -> Self {
        Self {
            people: 5000,
            templates: TEMPLATES,
            evaluated: 500,
        }
    }
}

impl BiosConfig {
    /// Validates every value.
    ///
    /// # Errors
    /// For the first key whose value is out of range.
    pub(crate) fn validate(&self) -> Result<(), SuiteError> {
        // An epoch is prepared in memory; names are a sparse sample of their combinations.
        within(
            "suites.bios.people",
            self.people,
            2,
            2_000_000.min(NAMES / 16),
        )?;
        within("suites.bios.templates", self.templates, 1, TEMPLATES)?;
        within("suites.bios.evaluated", self.evaluated, 1, 100_000)
    }
}
