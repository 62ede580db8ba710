//! The plan of a sweep: all runs with their costs and budgets, computed before any model is built.

use architectures::{ConfigError, Cost, ModelConfig};

use crate::budget::{Tokens, TrainingBudget};
use crate::matching::{Matched, TRAIN_FLOPS};
use crate::sweep_file::{DataConfig, Matching, ModelVariant, Size, Sweep, TuneConfig, TunedBy};
use crate::training::{TrainingConfig, stream_tokens};
use crate::tuning::search::Curve;

/// All runs of a sweep, in the order of execution.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The sweep.
    pub sweep: Sweep,
    /// The runs; seeds are the outermost loop, so that an interrupted sweep has complete comparisons for some seeds.
    pub runs: Vec<Run>,
    /// Runs of the further seeds that `[decide]` allows, which `--until-decided` executes where they are needed.
    pub further: Vec<Run>,
}

/// One model to train and evaluate.
#[derive(Clone, Debug)]
pub struct Run {
    /// Size, block and seed.
    pub label: RunLabel,
    /// Label of the size in the sweep file, which that of a run that divides a lead extends.
    pub size: String,
    /// What is held equal: the mode of the sweep, or [`SPLIT`].
    pub matching: String,
    /// The model.
    pub model: ModelConfig,
    /// Training data and evaluation suites: those of the sweep, with the facts of this seed and as many as its tokens state.
    pub data: DataConfig,
    /// The training configuration.
    pub training: TrainingConfig,
    /// Cost of one token.
    pub cost: Cost,
    /// The number of steps and tokens.
    pub budget: TrainingBudget,
    /// The matched quantities, with target and deviation.
    pub matches: Vec<Matched>,
    /// Where its training settings come from, if they were searched.
    pub tuning: Tuning,
}

/// The search that gave a run its training settings; empty without `[tune]`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tuning {
    /// Training settings that the search determines.
    pub settings: Vec<String>,
    /// The loss that it minimised.
    pub by: TunedBy,
    /// The curves of the search with the labels of their sizes: of the run's own size, or of all sizes from which its rate was
    /// transferred. Empty before the search has ended.
    pub curves: Vec<(String, Curve)>,
    /// The law by which it was transferred, in words; empty where the size was searched itself.
    pub law: String,
}

/// `Run::matching` of the runs that divide a lead; they are compared with nothing else.
pub const SPLIT: &str = "split";

/// Largest relative difference of tokens at which there is no lead to divide.
const SAME_TOKENS: f64 = 0.005;

/// Size, block and seed, which identify a run within its sweep.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct RunLabel {
    /// Label of the size.
    pub size: String,
    /// Label of the block.
    pub block: String,
    /// Seed of the initial weights and of the data order.
    pub seed: u64,
}

impl std::fmt::Display for RunLabel {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} seed {}", self.size, self.block, self.seed)
    }
}

impl Run {
    /// Ratio of the forward FLOPs of one token to those of the dense decoder of the same size.
    ///
    /// # Errors
    /// If the dense decoder's configuration is invalid.
    pub fn flops_relative_to_dense(&self) -> Result<f64, ConfigError> {
        let dense = ModelConfig {
            decoder: self.model.decoder.clone(),
            blocks: Vec::new(),
        };
        Ok(self.cost.forward() as f64 / dense.cost()?.forward() as f64)
    }

    /// Tokens of the training stream that it may read; see [`stream_tokens`].
    pub fn stream_tokens(&self) -> Tokens {
        stream_tokens(self.budget.tokens, self.model.decoder.seq_len)
    }

    /// The target for which the knobs of its block were solved; `None` if all knobs were given.
    pub fn solved(&self) -> Option<&Matched> {
        self.matches
            .iter()
            .find(|matched| matched.target != TRAIN_FLOPS)
    }
}

impl Plan {
    /// The plan of `sweep`.
    ///
    /// # Errors
    /// If a model's configuration is invalid.
    pub fn new(sweep: Sweep) -> Result<Self, ConfigError> {
        let mut of_seed = Vec::new();
        for size in &sweep.sizes {
            let runs = runs_of(&sweep, size)?;
            let added = if sweep.split {
                splits(size, &runs)?
            } else {
                Vec::new()
            };
            of_seed.extend(runs.into_iter().chain(added));
        }
        let with_seed = |seed: u64| {
            let fresh_facts = sweep.fresh_facts;
            of_seed.iter().cloned().map(move |mut run: Run| {
                run.label.seed = seed;
                if fresh_facts {
                    run.data.seed = seed;
                }
                run
            })
        };
        let runs = sweep.seeds.iter().flat_map(|&seed| with_seed(seed));
        let runs = runs.collect();
        let further = sweep
            .decide
            .iter()
            .flat_map(|decide| decide.further(&sweep.seeds));
        let further = further.flat_map(with_seed);
        let decided = |run: &Run| {
            let sizes = sweep
                .decide
                .as_ref()
                .map_or(&[][..], |decide| &decide.sizes);
            sizes.is_empty() || sizes.contains(&run.label.size)
        };
        let further = further.filter(decided).collect();
        Ok(Self {
            sweep,
            runs,
            further,
        })
    }
}

/// The runs of one size with seed 0, in the order of its variants.
pub(crate) fn runs_of(sweep: &Sweep, size: &Size) -> Result<Vec<Run>, ConfigError> {
    let dense = size.dense().cost()?;
    let batch_tokens = size.batch_tokens();
    let of_dense = TrainingBudget::new(sweep.matching, &dense, &dense, size.budget, batch_tokens);
    let run = |variant: &ModelVariant| {
        let cost = variant.model.cost()?;
        let budget = TrainingBudget::new(sweep.matching, &dense, &cost, size.budget, batch_tokens);
        budget.check()?;
        let flops = match sweep.matching {
            Matching::Flops | Matching::Facts(_) => Some(Matched::training_flops(&budget)),
            Matching::Tokens => None,
        };
        Ok(Run {
            label: RunLabel {
                size: size.name.clone(),
                block: variant.block.clone(),
                seed: 0,
            },
            size: size.name.clone(),
            matching: sweep.matching.to_string(),
            model: variant.model.clone(),
            data: data_of(sweep, &of_dense, &budget)?,
            training: size.training.clone(),
            cost,
            budget,
            matches: flops.into_iter().chain(variant.matched.clone()).collect(),
            tuning: Tuning {
                settings: sweep.tune.iter().flat_map(TuneConfig::settings).collect(),
                by: sweep
                    .tune
                    .as_ref()
                    .map_or_else(TunedBy::default, |tune| tune.by),
                ..Tuning::default()
            },
        })
    };
    size.variants.iter().map(run).collect()
}

/// The runs that divide the leads of a size's blocks over its dense decoder: each block at the tokens of dense, and dense at those of each block.
/// Every run has its own schedule: the loss in the middle of a longer one is not that of a shorter one.
fn splits(size: &Size, runs: &[Run]) -> Result<Vec<Run>, ConfigError> {
    let dense = size.dense().cost()?;
    let is_dense = |run: &&Run| {
        let mut blocks = run.model.blocks.iter();
        blocks.all(|placed| placed.block.kind() == "dense") && run.cost == dense
    };
    let Some(dense) = runs.iter().find(is_dense) else {
        return Err(ConfigError::new(
            "split",
            format!("divides leads over dense, which size {} lacks", size.name),
            "add [blocks.dense] with kind = \"dense\", or remove the key",
        ));
    };
    let with_budget = |run: &Run, of: &Run| {
        let tokens = of.budget.tokens;
        let flops = tokens as f64 * run.cost.training() as f64;
        Run {
            label: RunLabel {
                size: format!("{} at {tokens} tokens", size.name),
                ..run.label.clone()
            },
            matching: SPLIT.to_owned(),
            budget: TrainingBudget {
                target_flops: flops,
                train_flops: flops,
                ..of.budget
            },
            matches: Vec::new(),
            ..run.clone()
        }
    };
    let mut added: Vec<Run> = Vec::new();
    for run in runs {
        let (own, theirs) = (run.budget.tokens as f64, dense.budget.tokens as f64);
        if (own / theirs - 1.0).abs() <= SAME_TOKENS {
            continue;
        }
        added.push(with_budget(run, dense));
        let longer = with_budget(dense, run);
        if !added.iter().any(|other| other.label == longer.label) {
            added.push(longer);
        }
    }
    Ok(added)
}

/// The data of a run with the budget `own` at a size where dense has the budget `dense`.
fn data_of(
    sweep: &Sweep,
    dense: &TrainingBudget,
    own: &TrainingBudget,
) -> Result<DataConfig, ConfigError> {
    let mut data = sweep.data.clone();
    if let Matching::Facts(facts) = sweep.matching {
        data.suites = data.suites.with_people(facts.people(dense, own));
        data.suites.validate().map_err(|error| {
            ConfigError::new(
                "tokens",
                format!("give a number of people that no suite can have ({error})"),
                "change the budget of the size or `exposures`",
            )
        })?;
    }
    Ok(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn leads_are_divided_by_runs_at_the_tokens_of_the_other_side() {
        let of = |split: &str| {
            let text = crate::testing::SWEEP
                .replace("mode = \"flops\"", &format!("mode = \"flops\"{split}"));
            Plan::new(Sweep::parse("f.toml", &text).unwrap())
                .unwrap()
                .runs
        };
        let (before, runs) = (of(""), of(", split = true"));
        let added: Vec<&Run> = runs.iter().filter(|run| run.matching == SPLIT).collect();
        let at = |size: &str, block: &str| {
            let found = before
                .iter()
                .find(|run| run.size == size && run.label.block == block);
            found.unwrap().budget
        };
        let differs = |size: &str| at(size, "dense").tokens != at(size, "memory").tokens;
        assert_eq!(
            added.len(),
            2 * ["xs", "s"].iter().filter(|size| differs(size)).count()
        );
        assert!(!added.is_empty());
        for run in &added {
            let other = if run.label.block == "dense" {
                "memory"
            } else {
                "dense"
            };
            let theirs = at(&run.size, other);
            assert_eq!(
                (run.budget.tokens, run.budget.steps),
                (theirs.tokens, theirs.steps)
            );
            assert_eq!(
                run.label.size,
                format!("{} at {} tokens", run.size, theirs.tokens)
            );
        }
        let text =
            crate::testing::SWEEP.replace("mode = \"flops\"", "mode = \"tokens\", split = true");
        let error = Sweep::parse("f.toml", &text).unwrap_err().to_string();
        assert!(error.contains("`match.split` divides a lead"), "{error}");
    }

    #[test]
    fn seeds_are_the_outermost_loop() {
        let text = crate::testing::SWEEP.replace("seeds = [0]", "seeds = [3, 1]");
        let plan = Plan::new(Sweep::parse("f.toml", &text).unwrap()).unwrap();
        let labels: Vec<_> = plan.runs.iter().map(|run| run.label.to_string()).collect();
        assert_eq!(
            labels,
            [
                "xs dense seed 3",
                "xs memory seed 3",
                "s dense seed 3",
                "s memory seed 3",
                "xs dense seed 1",
                "xs memory seed 1",
                "s dense seed 1",
                "s memory seed 1",
            ]
        );
    }
}
