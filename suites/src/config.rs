//! The `[suites]` section of a sweep file.

use serde::{Deserialize, Serialize};

use crate::SuiteError;
use crate::biographies::BiographiesConfig;
use crate::bios::BiosConfig;
use crate::functions::FunctionsConfig;
use crate::world::WorldConfig;

/// Configuration of the suites that models are trained and evaluated on. A sweep file must have `[suites]`; a suite
/// without a section in that file is disabled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SuitesConfig {
    /// `[suites.biographies]`: synthetic people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub biographies: Option<BiographiesConfig>,
    /// `[suites.world]`: real facts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub world: Option<WorldConfig>,
    /// `[suites.functions]`: small Python functions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub functions: Option<FunctionsConfig>,
    /// `[suites.bios]`: the biographies of bioS, for measuring capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bios: Option<BiosConfig>,
}

impl Default for SuitesConfig {
    fn default() -> Self {
        Self {
            biographies: Some(BiographiesConfig::default()),
            world: Some(WorldConfig::default()),
            functions: Some(FunctionsConfig::default()),
            bios: None,
        }
    }
}

impl SuitesConfig {
    /// Whether no suite is enabled.
    pub fn is_empty(&self) -> bool {
        self.biographies.is_none()
            && self.world.is_none()
            && self.functions.is_none()
            && self.bios.is_none()
    }

    /// No suite.
    pub fn none() -> Self {
        Self {
            biographies: None,
            world: None,
            functions: None,
            bios: None,
        }
    }

    /// The number of people, if one suite of people is all that is enabled.
    pub fn people(&self) -> Option<usize> {
        match self {
            Self {
                biographies: Some(biographies),
                world: None,
                functions: None,
                bios: None,
            } => Some(biographies.people),
            Self {
                biographies: None,
                world: None,
                functions: None,
                bios: Some(bios),
            } => Some(bios.people),
            _ => None,
        }
    }

    /// The same suites with another number of people.
    #[must_use]
    pub fn with_people(mut self, people: usize) -> Self {
        if let Some(biographies) = &mut self.biographies {
            biographies.people = people;
        }
        if let Some(bios) = &mut self.bios {
            bios.people = people;
        }
        self
    }

    /// Validates every value.
    ///
    /// # Errors
    /// For the first key whose value is out of range, or if no suite is enabled.
    pub fn validate(&self) -> Result<(), SuiteError> {
        self.biographies
            .as_ref()
            .map_or(Ok(()), BiographiesConfig::validate)?;
        self.world.as_ref().map_or(Ok(()), WorldConfig::validate)?;
        self.functions
            .as_ref()
            .map_or(Ok(()), FunctionsConfig::validate)?;
        self.bios.as_ref().map_or(Ok(()), BiosConfig::validate)?;
        if self.is_empty() {
            let remedy = "there is nothing to train on; add [suites.biographies], [suites.world], [suites.functions], \
                          [suites.bios] or [corpus.LABEL]";
            return Err(SuiteError::config("suites", "{}", remedy));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(change: impl FnOnce(&mut SuitesConfig)) -> String {
        let mut config = SuitesConfig::default();
        change(&mut config);
        config.validate().expect_err("is invalid").to_string()
    }

    #[test]
    fn the_defaults_are_valid() {
        SuitesConfig::default().validate().expect("valid");
    }

    #[test]
    fn the_error_names_the_key_the_value_and_the_remedy() {
        let people = message(|config| config.biographies.as_mut().expect("enabled").people = 0);
        assert!(
            people.starts_with("suites.biographies.people = 0: write a number from 2"),
            "{people}"
        );
        let fraction =
            message(|config| config.world.as_mut().expect("enabled").train_fraction = f64::NAN);
        assert!(
            fraction.starts_with("suites.world.train_fraction = NaN"),
            "{fraction}"
        );
        let operations =
            message(|config| config.functions.as_mut().expect("enabled").operations = 4);
        assert!(
            operations.starts_with("suites.functions.operations = 4"),
            "{operations}"
        );
    }

    #[test]
    fn a_section_without_suites_is_invalid() {
        let config: SuitesConfig = serde_json::from_str("{}").expect("parses");
        assert!(config.validate().is_err());
    }

    #[test]
    fn an_unknown_key_is_an_error_that_names_it() {
        let error = serde_json::from_str::<SuitesConfig>(r#"{"world": {"fact": 3}}"#)
            .expect_err("an unknown key");
        assert!(error.to_string().contains("`fact`"), "{error}");
    }
}
