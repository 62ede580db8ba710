//! The plan: every run of a sweep with its budget, before anything is built.

use architectures::{ConfigError, Cost, ModelConfig};

use crate::budget::{Budget, Tokens};
use crate::matching::{Matched, TRAIN_FLOPS};
use crate::sweep_file::{Matching, Size, Sweep};
use crate::train::TrainingConfig;
use crate::train::reach;

/// What a sweep will do, in order.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The sweep it was made from.
    pub sweep: Sweep,
    /// Seed by seed, so that an interrupted sweep has whole comparisons.
    pub runs: Vec<Run>,
}

/// One model to train and ask.
#[derive(Clone, Debug)]
pub struct Run {
    /// Where it stands in the comparison.
    pub cell: Cell,
    /// The model.
    pub model: ModelConfig,
    /// How it is trained.
    pub training: TrainingConfig,
    /// What a token costs.
    pub cost: Cost,
    /// How long it is trained.
    pub budget: Budget,
    /// What was to be equal to the reference, and how nearly it is.
    pub matches: Vec<Matched>,
}

/// A run's place in the comparison.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cell {
    /// Label of the size.
    pub size: String,
    /// Label of the block.
    pub block: String,
    /// Of weights and order.
    pub seed: u64,
}

impl std::fmt::Display for Cell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {} seed {}", self.size, self.block, self.seed)
    }
}

impl Run {
    /// FLOPs of a token over those of the dense decoder of the same size.
    pub fn to_dense(&self) -> Result<f64, ConfigError> {
        let dense = ModelConfig {
            decoder: self.model.decoder.clone(),
            blocks: Vec::new(),
        };
        Ok(self.cost.forward() as f64 / dense.cost()?.forward() as f64)
    }

    /// What its block's free knobs were turned for; none where it had none.
    pub fn solved(&self) -> Option<&Matched> {
        self.matches
            .iter()
            .find(|matched| matched.target != TRAIN_FLOPS)
    }
}

impl Plan {
    /// Every run of `sweep`.
    pub fn new(sweep: Sweep) -> Result<Self, ConfigError> {
        let mut runs = Vec::new();
        for &seed in &sweep.seeds {
            for size in &sweep.sizes {
                runs.extend(runs_of(&sweep, size, seed)?);
            }
        }
        Ok(Self { sweep, runs })
    }

    /// Tokens of the stream that the longest run may touch.
    pub fn most_tokens(&self) -> Tokens {
        let reach = |run: &Run| reach(run.budget.tokens, run.model.decoder.seq_len);
        self.runs.iter().map(reach).max().unwrap_or(1)
    }
}

fn runs_of(sweep: &Sweep, size: &Size, seed: u64) -> Result<Vec<Run>, ConfigError> {
    let dense = ModelConfig {
        decoder: size.decoder.clone(),
        blocks: Vec::new(),
    };
    let dense = dense.cost()?;
    let batch_tokens = (size.training.batch_size * size.decoder.seq_len) as u64;
    let run = |competitor: &crate::sweep_file::Competitor| {
        let cost = competitor.model.cost()?;
        let budget = Budget::new(sweep.matching, &dense, &cost, size.tokens, batch_tokens);
        let flops = match sweep.matching {
            Matching::Flops => Some(Matched::training_flops(&budget)),
            Matching::Tokens => None,
        };
        Ok(Run {
            cell: Cell {
                size: size.name.clone(),
                block: competitor.block.clone(),
                seed,
            },
            model: competitor.model.clone(),
            training: size.training.clone(),
            cost,
            budget,
            matches: flops
                .into_iter()
                .chain(competitor.matched.clone())
                .collect(),
        })
    };
    size.competitors.iter().map(run).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_outermost() {
        let text = crate::testing::SWEEP.replace("seeds = [0]", "seeds = [3, 1]");
        let plan = Plan::new(Sweep::parse("f.toml", &text).unwrap()).unwrap();
        let cells: Vec<_> = plan.runs.iter().map(|run| run.cell.to_string()).collect();
        assert_eq!(
            cells,
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
