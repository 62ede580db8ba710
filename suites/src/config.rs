//! The `[suites]` section of a sweep file.

use serde::{Deserialize, Serialize};

use crate::SuiteError;
use crate::biographies::NAME_SPACE;

/// Which suites train and ask the models. A sweep file must have `[suites]`; a suite whose section is absent from it is
/// off.
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
}

/// `[suites.biographies]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BiographiesConfig {
    /// Number of people; each has six attributes.
    pub people: usize,
    /// How often each statement occurs in one pass, newly phrased each time.
    pub repeats: usize,
    /// Share of the people whose question form is trained on; the others are asked.
    pub train_fraction: f64,
    /// Probability that a question of the train split occurs in a repeat of a pass.
    pub question_rate: f64,
    /// Most items asked per attribute.
    pub questions: usize,
}

/// `[suites.world]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct WorldConfig {
    /// Number of facts, spread evenly over the relations; the small relations are taken whole when they run out.
    pub facts: usize,
    /// How often each statement occurs in one pass, newly phrased each time.
    pub repeats: usize,
    /// Share of the subjects whose question form is trained on; the others are asked.
    pub train_fraction: f64,
    /// Probability that a question of the train split occurs in a repeat of a pass.
    pub question_rate: f64,
    /// Most items asked per relation.
    pub questions: usize,
}

/// `[suites.functions]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FunctionsConfig {
    /// Number of functions, trained on or asked; the single operations come first and are always trained on.
    pub compositions: usize,
    /// Most operations in one function, 2 or 3.
    pub operations: usize,
    /// How often each trained function occurs in one pass, with a new example each time.
    pub repeats: usize,
    /// Share of the composed functions that is trained on; the others are asked.
    pub train_fraction: f64,
    /// Most functions asked.
    pub questions: usize,
}

impl Default for SuitesConfig {
    fn default() -> Self {
        Self {
            biographies: Some(BiographiesConfig::default()),
            world: Some(WorldConfig::default()),
            functions: Some(FunctionsConfig::default()),
        }
    }
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

impl SuitesConfig {
    /// Whether every value can be served; the error names the first key that cannot.
    pub fn validate(&self) -> Result<(), SuiteError> {
        if let Some(config) = &self.biographies {
            let key = |name: &str| format!("suites.biographies.{name}");
            within(&key("people"), config.people, 2, NAME_SPACE / 2)?;
            within(&key("repeats"), config.repeats, 1, 1000)?;
            within(&key("questions"), config.questions, 1, 1_000_000)?;
            share(&key("train_fraction"), config.train_fraction)?;
            probability(&key("question_rate"), config.question_rate)?;
        }
        if let Some(config) = &self.world {
            let key = |name: &str| format!("suites.world.{name}");
            within(
                &key("facts"),
                config.facts,
                2 * crate::world::RELATIONS,
                100_000,
            )?;
            within(&key("repeats"), config.repeats, 1, 1000)?;
            within(&key("questions"), config.questions, 1, 1_000_000)?;
            share(&key("train_fraction"), config.train_fraction)?;
            probability(&key("question_rate"), config.question_rate)?;
        }
        if let Some(config) = &self.functions {
            let key = |name: &str| format!("suites.functions.{name}");
            within(&key("operations"), config.operations, 2, 3)?;
            let least = crate::functions::OPERATIONS + 2;
            within(&key("compositions"), config.compositions, least, 100_000)?;
            within(&key("repeats"), config.repeats, 1, 1000)?;
            within(&key("questions"), config.questions, 1, 1_000_000)?;
            share(&key("train_fraction"), config.train_fraction)?;
        }
        if self.biographies.is_none() && self.world.is_none() && self.functions.is_none() {
            let remedy = "there is nothing to train on; add [suites.biographies], [suites.world] or [suites.functions]";
            return Err(SuiteError::config("suites", "{}", remedy));
        }
        Ok(())
    }
}

fn within(key: &str, value: usize, least: usize, most: usize) -> Result<(), SuiteError> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(SuiteError::config(
        key,
        value,
        format!("write a number from {least} to {most}"),
    ))
}

/// A split needs both of its sides.
fn share(key: &str, value: f64) -> Result<(), SuiteError> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(SuiteError::config(
        key,
        value,
        "write a number above 0 and below 1",
    ))
}

fn probability(key: &str, value: f64) -> Result<(), SuiteError> {
    if (0.0..=1.0).contains(&value) {
        return Ok(());
    }
    Err(SuiteError::config(key, value, "write a number from 0 to 1"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(change: impl FnOnce(&mut SuitesConfig)) -> String {
        let mut config = SuitesConfig::default();
        change(&mut config);
        config.validate().expect_err("refused").to_string()
    }

    #[test]
    fn the_defaults_are_valid() {
        SuitesConfig::default().validate().expect("valid");
    }

    #[test]
    fn the_error_names_the_key_the_value_and_the_remedy() {
        let message = complaint(|config| config.biographies.as_mut().expect("on").people = 0);
        assert!(
            message.starts_with("suites.biographies.people = 0: write a number from 2"),
            "{message}"
        );
        let message =
            complaint(|config| config.world.as_mut().expect("on").train_fraction = f64::NAN);
        assert!(
            message.starts_with("suites.world.train_fraction = NaN"),
            "{message}"
        );
        let message = complaint(|config| config.functions.as_mut().expect("on").operations = 4);
        assert!(
            message.starts_with("suites.functions.operations = 4"),
            "{message}"
        );
    }

    #[test]
    fn a_section_without_suites_is_refused() {
        let config: SuitesConfig = serde_json::from_str("{}").expect("parses");
        assert!(config.validate().is_err());
    }

    #[test]
    fn an_unknown_key_is_refused_and_named() {
        let error =
            serde_json::from_str::<SuitesConfig>(r#"{"world": {"fact": 3}}"#).expect_err("refused");
        assert!(error.to_string().contains("`fact`"), "{error}");
    }
}
