//! `[decide]` of a sweep file: when `isoflop sweep --until-decided` has enough seeds.

use serde::Deserialize;

use super::error::FileError;
use super::read::read;
use super::suggest::suggest;
use super::sweep::Size;
use super::tree::LocatedTable;

/// Largest number of seeds of a comparison.
const MAX_SEEDS: usize = 100;

/// What is decided, and when to stop. It is written before the runs, since a choice after them would inflate errors.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecideConfig {
    /// The quantity by which blocks are compared with dense.
    pub quantity: DecidedBy,
    /// Labels of the sizes at which they are compared; all if empty.
    #[serde(default)]
    pub sizes: Vec<String>,
    /// Largest number of seeds of a comparison, those of the sweep included.
    pub max_seeds: usize,
    /// A block is equal to dense once the confidence sequence is within this distance of zero; never if absent.
    pub equal_within: Option<f64>,
    /// Training FLOPs that the added seeds may take; any number if absent.
    pub max_flops: Option<f64>,
}

/// A quantity of `[decide]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DecidedBy {
    /// Loss of the tokens that carry a fact, over the recall suites.
    AnswerLoss,
    /// Validation loss.
    ValidationLoss,
    /// Accuracy on the recall suites.
    Recall,
    /// Accuracy on the question suites.
    Questions,
}

impl DecideConfig {
    /// The seeds that it may add to those of the sweep: those after the largest.
    pub fn further(&self, seeds: &[u64]) -> Vec<u64> {
        let largest = seeds.iter().max().copied().unwrap_or(0);
        let count = self.max_seeds.saturating_sub(seeds.len()) as u64;
        (1..=count)
            .filter_map(|next| largest.checked_add(next))
            .collect()
    }
}

/// The section `[decide]` of a file, if it has one.
///
/// # Errors
/// If a key is unknown or missing, or a value is invalid.
pub fn decide(
    file: &str,
    root: &LocatedTable,
    seeds: usize,
    sizes: &[Size],
) -> Result<Option<DecideConfig>, FileError> {
    if root.get("decide").is_none() {
        return Ok(None);
    }
    let section = root.section("decide");
    let config: DecideConfig = read(file, &section)?;
    let invalid = |key: &str, problem: String, remedy: &str| {
        Err(FileError::of(file, &section, key, problem, remedy))
    };
    if config.max_seeds < seeds || config.max_seeds > MAX_SEEDS {
        let problem = format!("= {} is not from {seeds} to {MAX_SEEDS}", config.max_seeds);
        return invalid("max_seeds", problem, "count the seeds of the sweep too");
    }
    let names: Vec<&str> = sizes.iter().map(|size| size.name.as_str()).collect();
    if let Some(unknown) = config
        .sizes
        .iter()
        .find(|size| !names.contains(&size.as_str()))
    {
        let problem = format!("has the unknown size \"{unknown}\"");
        return invalid("sizes", problem, &suggest(unknown, &names));
    }
    for (key, value) in [
        ("equal_within", config.equal_within),
        ("max_flops", config.max_flops),
    ] {
        if value.is_some_and(|value| !(value > 0.0 && value.is_finite())) {
            let problem = "is not a positive number".to_owned();
            return invalid(key, problem, "write a positive number, or remove the key");
        }
    }
    Ok(Some(config))
}

#[cfg(test)]
mod tests {
    use crate::plan::Plan;
    use crate::sweep_file::Sweep;

    fn parsed(section: &str) -> Result<Sweep, String> {
        let text = format!("{}\n[decide]\n{section}", crate::testing::SWEEP);
        Sweep::parse("f.toml", &text).map_err(|error| error.to_string())
    }

    #[test]
    fn further_seeds_follow_those_of_the_sweep() {
        let sweep = parsed("quantity = \"answer_loss\"\nsizes = [\"s\"]\nmax_seeds = 3\n").unwrap();
        let plan = Plan::new(sweep).unwrap();
        let labels: Vec<String> = plan
            .further
            .iter()
            .map(|run| run.label.to_string())
            .collect();
        assert_eq!(
            labels,
            [
                "s dense seed 1",
                "s memory seed 1",
                "s dense seed 2",
                "s memory seed 2"
            ]
        );
        assert!(plan.runs.iter().all(|run| run.label.seed == 0));
    }

    #[test]
    fn an_invalid_value_is_an_error_that_names_its_key() {
        let message = |section: &str| parsed(section).unwrap_err();
        let good = "quantity = \"recall\"\nmax_seeds = 4\n";
        assert!(parsed(good).is_ok());
        assert!(message("quantity = \"recall\"\nmax_seeds = 0\n").contains("`decide.max_seeds`"));
        assert!(message("quantity = \"luck\"\nmax_seeds = 4\n").contains("`decide.quantity`"));
        assert!(message(&format!("{good}sizes = [\"xl\"]\n")).contains("unknown size \"xl\""));
        assert!(message(&format!("{good}equal_within = -1.0\n")).contains("`decide.equal_within`"));
        assert!(message(&format!("{good}seeds = 4\n")).contains("`decide.seeds`"));
    }
}
