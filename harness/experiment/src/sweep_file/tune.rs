//! `[tune]` of a sweep file: how learning rates are searched before the runs of the sweep.

use serde::Deserialize;

use super::error::FileError;
use super::read::read;
use super::suggest::suggest;
use super::sweep::{DataConfig, Size};
use super::tree::LocatedTable;

/// Fewest values of a grid: the best of fewer has no neighbour on both sides.
const MIN_VALUES: usize = 3;

/// Largest number of values of a grid.
const MAX_VALUES: usize = 30;

/// Fewest sizes from which rates are transferred to others: leaving one out must leave a slope.
const MIN_SIZES: usize = 3;

/// Which settings are searched, where, and by what. Each block at each size has a search of its own, on a seed and facts that no
/// run of the sweep has.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TuneConfig {
    /// Seed of the trials and of their facts.
    pub seed: u64,
    /// Learning rates, ascending. If empty, that of `[training]` is kept.
    #[serde(default)]
    pub learning_rate: Vec<f64>,
    /// Ratios of the tables' learning rate to that of the dense parameters, ascending; searched after the learning rate, for blocks
    /// with tables. If empty, the ratio of `[training]` is kept.
    #[serde(default)]
    pub table_ratio: Vec<f64>,
    /// Weight decays, ascending; searched last. If empty, that of `[training]` is kept.
    #[serde(default)]
    pub weight_decay: Vec<f64>,
    /// How often a grid is extended by one value where the best is at its edge.
    #[serde(default = "default_extensions")]
    pub extensions: usize,
    /// Labels of the sizes that are tuned; all if empty. The rates of the others follow from a law that is fitted to these.
    #[serde(default)]
    pub sizes: Vec<String>,
    /// Largest regret in nats of that law, where a size is left out of its fit and predicted.
    #[serde(default = "default_max_regret")]
    pub max_regret: f64,
    /// The loss that is minimised.
    #[serde(default)]
    pub by: TunedBy,
}

/// A loss of `[tune]`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TunedBy {
    /// Validation loss in nats per token.
    #[default]
    ValidationLoss,
    /// Loss of the tokens that carry a fact, in nats per answer, over the recall suites.
    AnswerLoss,
}

impl TunedBy {
    /// Its name in a sweep file.
    pub fn name(self) -> &'static str {
        match self {
            Self::ValidationLoss => "validation_loss",
            Self::AnswerLoss => "answer_loss",
        }
    }
}

fn default_extensions() -> usize {
    2
}

fn default_max_regret() -> f64 {
    0.01
}

/// The section `[tune]` of a file, if it has one.
///
/// # Errors
/// If a key is unknown or missing, or a value is invalid.
///
/// # Arguments
/// * `seeds`: those of the runs, with those that `[decide]` may add.
pub fn tune(
    file: &str,
    root: &LocatedTable,
    (data, fresh_facts): (&DataConfig, bool),
    seeds: &[u64],
    sizes: &[Size],
) -> Result<Option<TuneConfig>, FileError> {
    if root.get("tune").is_none() {
        return Ok(None);
    }
    let section = root.section("tune");
    let config: TuneConfig = read(file, &section)?;
    let invalid = |key: &str, problem: String, remedy: &str| {
        Err(FileError::of(file, &section, key, problem, remedy))
    };
    let grids = [
        ("learning_rate", &config.learning_rate, 0.0),
        ("table_ratio", &config.table_ratio, 0.0),
        ("weight_decay", &config.weight_decay, -1.0),
    ];
    for (key, values, above) in grids {
        let is_ascending = values.windows(2).all(|pair| pair[0] < pair[1]);
        let is_valid = values
            .iter()
            .all(|&value| value > above && (0.0..10.0).contains(&value));
        if values.is_empty() {
            continue;
        }
        if !is_ascending || !is_valid {
            let problem = "is not a list of ascending numbers, each below 10".to_owned();
            return invalid(
                key,
                problem,
                "write them in order, such as [4e-3, 8e-3, 16e-3]",
            );
        }
        if !(MIN_VALUES..=MAX_VALUES).contains(&values.len()) {
            let problem = format!(
                "has {} values, not {MIN_VALUES} to {MAX_VALUES}",
                values.len()
            );
            return invalid(
                key,
                problem,
                "the best value needs neighbours on both sides",
            );
        }
    }
    if grids.iter().all(|(_, values, _)| values.is_empty()) {
        let problem = "is missing, and so are `table_ratio` and `weight_decay`".to_owned();
        return invalid("learning_rate", problem, "list the values of one of them");
    }
    if config.extensions > 10 {
        return invalid("extensions", "exceeds 10".to_owned(), "write a wider grid");
    }
    if !(config.max_regret > 0.0 && config.max_regret.is_finite()) {
        let problem = "is not a positive number".to_owned();
        return invalid("max_regret", problem, "write nats, such as 0.01");
    }
    if config.by == TunedBy::AnswerLoss && data.suites.is_empty() {
        let problem = "= \"answer_loss\" is a loss on suites, and there are none".to_owned();
        return invalid("by", problem, "write \"validation_loss\", or add a suite");
    }
    if !fresh_facts && data.seed == config.seed {
        let problem = format!("= {} is the seed of the facts of the sweep", config.seed);
        return invalid("seed", problem, "choose one that nothing else uses");
    }
    if seeds.contains(&config.seed) {
        let problem = format!("= {} is the seed of a run of the sweep", config.seed);
        let remedy = "choose another: rates that are picked on a seed fit it by chance";
        return invalid("seed", problem, remedy);
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
    let widths: std::collections::BTreeSet<usize> = sizes
        .iter()
        .filter(|size| config.tunes(&size.name))
        .map(|size| size.decoder.d_model)
        .collect();
    let transfers = sizes.iter().any(|size| !config.tunes(&size.name));
    if transfers && config.learning_rate.is_empty() {
        let problem = "does not list all, and no learning rate is searched".to_owned();
        return invalid(
            "sizes",
            problem,
            "write `learning_rate`, or leave the key out",
        );
    }
    if transfers && widths.len() < MIN_SIZES {
        let problem = format!(
            "has {} widths, and rates of other sizes follow from it",
            widths.len()
        );
        let remedy = format!("list sizes of {MIN_SIZES} widths or more, or all");
        return invalid("sizes", problem, &remedy);
    }
    Ok(Some(config))
}

impl TuneConfig {
    /// Whether the size of this label is tuned itself.
    pub fn tunes(&self, size: &str) -> bool {
        self.sizes.is_empty() || self.sizes.iter().any(|own| own == size)
    }

    /// The training settings that it determines.
    pub fn settings(&self) -> Vec<String> {
        let mut settings = Vec::new();
        if !self.learning_rate.is_empty() {
            settings.push("learning_rate".to_owned());
        }
        if !self.learning_rate.is_empty() || !self.table_ratio.is_empty() {
            settings.push("table_learning_rate".to_owned());
        }
        if !self.weight_decay.is_empty() {
            settings.push("weight_decay".to_owned());
        }
        settings
    }
}

#[cfg(test)]
mod tests {
    use crate::sweep_file::Sweep;

    fn parsed(section: &str) -> Result<Sweep, String> {
        let text = format!("{}\n[tune]\n{section}", crate::testing::SWEEP);
        Sweep::parse("f.toml", &text).map_err(|error| error.to_string())
    }

    #[test]
    fn an_invalid_value_is_an_error_that_names_its_key() {
        let good = "seed = 9\nlearning_rate = [1e-3, 2e-3, 4e-3]\n";
        let tune = parsed(good).unwrap().tune.unwrap();
        assert!(tune.tunes("s") && tune.extensions == 2);
        let message = |from: &str, to: &str| parsed(&good.replace(from, to)).unwrap_err();
        assert!(message("seed = 9", "").contains("seed"));
        let tables = parsed("seed = 9\ntable_ratio = [1, 2, 4]\n")
            .unwrap()
            .tune
            .unwrap();
        assert_eq!(tables.settings(), ["table_learning_rate"]);
        assert!(parsed("seed = 9\n").unwrap_err().contains("and so are"));
        assert!(message("= 9", "= 0").contains("`tune.seed` = 0 is the seed of the facts"));
        assert!(message("2e-3", "8e-3").contains("ascending"));
        assert!(message(", 4e-3", "").contains("neighbours"));
        assert!(message("seed = 9", "seed = 9\nsizes = [\"q\"]").contains("unknown size"));
        assert!(message("seed = 9", "seed = 9\nsizes = [\"s\"]").contains("3 widths"));
        assert!(message("seed = 9", "seed = 9\nby = \"luck\"").contains("`tune.by`"));
        assert!(
            message("seed = 9", "seed = 9\nweight_decay = [0.0, 0.1]").contains("weight_decay")
        );
        let runs = crate::testing::SWEEP.replace("seeds = [0]", "seeds = [9]");
        let error = Sweep::parse("f.toml", &format!("{runs}\n[tune]\n{good}")).unwrap_err();
        assert!(error.to_string().contains("the seed of a run"), "{error}");
    }
}
