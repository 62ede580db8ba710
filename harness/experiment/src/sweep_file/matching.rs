//! The matching mode of a sweep.

use std::fmt;

use architectures::ConfigError;
use serde::Deserialize;
use suites::SuitesConfig;

use crate::budget::{Tokens, TrainingBudget};

/// The training quantity that is equal for all blocks of one size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Matching {
    /// Training FLOPs: a block with fewer FLOPs per token is trained on more tokens, and so more often on every fact.
    Flops,
    /// Training tokens.
    Tokens,
    /// Training FLOPs and the exposures of a fact: a run with more tokens has more facts.
    Facts(FactsPerToken),
}

/// How many people a run of [`Matching::Facts`] has.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FactsPerToken {
    /// Epochs: how often training states every fact.
    pub exposures: f64,
    /// Tokens of one epoch for each person. It depends on the tokenizer, is written down so that a plan needs none, and is compared with the
    /// corpus before anything is trained.
    pub tokens_per_person: f64,
}

/// Largest relative difference of tokens to those of dense at which a run has the facts of dense, so that both are compared fact by
/// fact: the knobs of a block cannot be solved for closer ones.
const SAME_FACTS: f64 = 0.03;

/// Largest relative difference of `tokens_per_person` to the corpus: a tokenizer that is trained on few names has them whole.
pub const TOKENS_PER_PERSON_TOLERANCE: f64 = 0.1;

/// `match = { ... }`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MatchSection {
    mode: Mode,
    exposures: Option<f64>,
    tokens_per_person: Option<f64>,
    #[serde(default)]
    split: bool,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Mode {
    Flops,
    Tokens,
    Facts,
}

impl MatchSection {
    /// Whether runs are added that divide a lead at equal FLOPs into more tokens and better per token.
    ///
    /// # Errors
    /// If the mode leaves nothing to divide.
    pub fn split(&self) -> Result<bool, ConfigError> {
        if self.split && self.mode != Mode::Flops {
            let problem = "divides a lead of mode = \"flops\" alone".to_owned();
            return Err(ConfigError::new(
                "split",
                problem,
                "remove it, or write that mode",
            ));
        }
        Ok(self.split)
    }

    /// The mode with its numbers, for these suites.
    ///
    /// # Errors
    /// If a number is missing, out of range or of another mode, or if `facts` cannot choose the number of facts of the suites.
    pub fn resolve(&self, suites: &SuitesConfig) -> Result<Matching, ConfigError> {
        let error = |key: &'static str, problem: &str, remedy: &str| {
            Err(ConfigError::new(key, problem.to_owned(), remedy))
        };
        let mode = match self.mode {
            Mode::Flops => Matching::Flops,
            Mode::Tokens => Matching::Tokens,
            Mode::Facts => {
                let (Some(exposures), Some(tokens_per_person)) =
                    (self.exposures, self.tokens_per_person)
                else {
                    let problem = "= \"facts\" lacks `exposures` or `tokens_per_person`";
                    return error("mode", problem, FACTS);
                };
                let is_valid = |number: f64| (0.01..=1e6).contains(&number);
                if !is_valid(exposures) {
                    return error("exposures", "is not between 0.01 and 1e6", FACTS);
                }
                if !is_valid(tokens_per_person) {
                    return error("tokens_per_person", "is not between 0.01 and 1e6", FACTS);
                }
                if suites.people().is_none() {
                    let problem = "= \"facts\" needs one suite, of people";
                    let remedy =
                        "leave one of suites.bios and suites.biographies, and no other suite";
                    return error("mode", problem, remedy);
                }
                return Ok(Matching::Facts(FactsPerToken {
                    exposures,
                    tokens_per_person,
                }));
            }
        };
        if self.exposures.is_some() {
            return error(
                "exposures",
                "is a key of mode = \"facts\" alone",
                "remove it",
            );
        }
        if self.tokens_per_person.is_some() {
            let problem = "is a key of mode = \"facts\" alone";
            return error("tokens_per_person", problem, "remove it");
        }
        Ok(mode)
    }
}

const FACTS: &str = "write match = { mode = \"facts\", exposures = 50, tokens_per_person = 81 }";

impl FactsPerToken {
    /// People of a run: as many as its tokens state `exposures` times. A run whose tokens differ from dense's by at most 3 % has
    /// those of dense.
    pub fn people(&self, dense: &TrainingBudget, own: &TrainingBudget) -> usize {
        let is_close = own.tokens.abs_diff(dense.tokens) as f64 <= SAME_FACTS * dense.tokens as f64;
        let tokens: Tokens = if is_close { dense.tokens } else { own.tokens };
        let people = tokens as f64 / (self.exposures * self.tokens_per_person);
        people.round().max(1.0) as usize
    }
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flops => "flops",
            Self::Tokens => "tokens",
            Self::Facts(_) => "facts",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FACTS_MATCH: &str = "match = { mode = \"facts\", exposures = 4, tokens_per_person = 50 }";

    fn people(change: impl Fn(String) -> String) -> Result<Vec<usize>, String> {
        let text = crate::testing::SWEEP.replace("match = { mode = \"flops\" }", FACTS_MATCH);
        let sweep = crate::sweep_file::Sweep::parse("f.toml", &change(text));
        let plan = crate::plan::Plan::new(sweep.map_err(|error| error.to_string())?).unwrap();
        let people = |run: &crate::plan::Run| run.data.suites.people().unwrap();
        Ok(plan.runs.iter().map(people).collect())
    }

    #[test]
    fn a_run_has_as_many_people_as_its_tokens_state() {
        let plan = |text: &str| {
            let sweep = crate::sweep_file::Sweep::parse("f.toml", text).unwrap();
            crate::plan::Plan::new(sweep).unwrap()
        };
        let flops = plan(crate::testing::SWEEP);
        let expected: Vec<usize> = flops
            .runs
            .iter()
            .map(|run| (run.budget.tokens as f64 / 200.0).round() as usize)
            .collect();
        let found = people(|text| text).unwrap();
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(&expected) {
            assert!(found.abs_diff(*expected) as f64 <= 0.03 * *expected as f64 + 1.0);
        }
    }

    #[test]
    fn close_tokens_have_the_facts_of_dense_and_others_their_own() {
        let budget = |tokens| TrainingBudget {
            steps: 1,
            tokens,
            target_flops: 1.0,
            train_flops: 1.0,
        };
        let facts = FactsPerToken {
            exposures: 10.0,
            tokens_per_person: 10.0,
        };
        let dense = budget(100_000);
        assert_eq!(facts.people(&dense, &budget(102_900)), 1000);
        assert_eq!(facts.people(&dense, &budget(97_100)), 1000);
        assert_eq!(facts.people(&dense, &budget(103_100)), 1031);
        assert_eq!(facts.people(&dense, &budget(1)), 1);
    }

    #[test]
    fn numbers_of_the_wrong_mode_and_missing_ones_are_errors_that_name_the_key() {
        let message = |from: &str, to: &str| {
            let text = crate::testing::SWEEP.replace("match = { mode = \"flops\" }", FACTS_MATCH);
            assert!(text.contains(from), "{from}");
            let error = crate::sweep_file::Sweep::parse("f.toml", &text.replace(from, to));
            error.unwrap_err().to_string()
        };
        assert!(message("exposures = 4, ", "").contains("`exposures`"));
        assert!(message("exposures = 4", "exposures = -1").contains("exposures"));
        assert!(message("\"facts\"", "\"flops\"").contains("alone"));
        let two = "[suites.functions]\ncompositions = 38\nquestions = 4\n[suites.biographies]";
        let message = message("[suites.biographies]", two);
        assert!(message.contains("needs one suite"), "{message}");
    }
}
