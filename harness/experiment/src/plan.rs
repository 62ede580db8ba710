//! The plan of a sweep: all runs with their costs and budgets, computed before any model is built.

use architectures::{ConfigError, Cost, ModelConfig};

use crate::budget::{Tokens, TrainingBudget};
use crate::matching::{Matched, TRAIN_FLOPS};
use crate::sweep_file::{Matching, ModelVariant, Size, Sweep};
use crate::training::{TrainingConfig, stream_tokens};

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
    /// The model.
    pub model: ModelConfig,
    /// The training configuration.
    pub training: TrainingConfig,
    /// Cost of one token.
    pub cost: Cost,
    /// The number of steps and tokens.
    pub budget: TrainingBudget,
    /// The matched quantities, with target and deviation.
    pub matches: Vec<Matched>,
}

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
            of_seed.extend(runs_of(&sweep, size)?);
        }
        let with_seed = |seed: u64| {
            of_seed.iter().cloned().map(move |run: Run| Run {
                label: RunLabel { seed, ..run.label },
                ..run
            })
        };
        let runs = sweep.seeds.iter().flat_map(|&seed| with_seed(seed));
        let runs = runs.collect();
        let further = further_seeds(&sweep).into_iter().flat_map(with_seed);
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

    /// Tokens of the training stream that the longest run may read; see [`stream_tokens`].
    pub fn max_stream_tokens(&self) -> Tokens {
        let tokens = |run: &Run| stream_tokens(run.budget.tokens, run.model.decoder.seq_len);
        self.runs.iter().map(tokens).max().unwrap_or(1)
    }
}

/// The seeds after the largest of the sweep, as many as `[decide]` allows.
fn further_seeds(sweep: &Sweep) -> Vec<u64> {
    let Some(decide) = &sweep.decide else {
        return Vec::new();
    };
    let largest = sweep.seeds.iter().max().copied().unwrap_or(0);
    let count = decide.max_seeds.saturating_sub(sweep.seeds.len()) as u64;
    (1..=count)
        .filter_map(|next| largest.checked_add(next))
        .collect()
}

/// The runs of one size with seed 0, in the order of its variants.
fn runs_of(sweep: &Sweep, size: &Size) -> Result<Vec<Run>, ConfigError> {
    let dense = size.dense().cost()?;
    let batch_tokens = size.batch_tokens();
    let run = |variant: &ModelVariant| {
        let cost = variant.model.cost()?;
        let budget = TrainingBudget::new(sweep.matching, &dense, &cost, size.budget, batch_tokens);
        budget.check()?;
        let flops = match sweep.matching {
            Matching::Flops => Some(Matched::training_flops(&budget)),
            Matching::Tokens => None,
        };
        Ok(Run {
            label: RunLabel {
                size: size.name.clone(),
                block: variant.block.clone(),
                seed: 0,
            },
            model: variant.model.clone(),
            training: size.training.clone(),
            cost,
            budget,
            matches: flops.into_iter().chain(variant.matched.clone()).collect(),
        })
    };
    size.variants.iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

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
