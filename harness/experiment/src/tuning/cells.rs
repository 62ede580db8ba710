//! The trials of a sweep as runs, and its plan with the rates that were picked.

use std::collections::BTreeMap;

use architectures::{ConfigError, ModelConfig};

use super::search::{Curve, Pick, Setting, rounded};
use super::transfer::{Form, Law, Scale, Tuned};
use crate::plan::{Plan, Run, RunLabel, Tuning, runs_of};
use crate::sweep_file::{Sweep, TuneConfig};
use crate::training::TrainingConfig;

/// A block at a size that is tuned.
#[derive(Clone, Debug)]
pub struct Cell {
    /// The run whose training settings are searched: with the seed and the facts of the trials.
    pub run: Run,
    /// Whether the block has tables.
    pub has_tables: bool,
    scale: Scale,
}

/// Label of the size and of the block.
pub type CellName = (String, String);

/// What was picked so far.
pub type Picks = BTreeMap<CellName, Pick>;

/// The law of a sweep misses an optimum by more than the sweep file allows.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error(
    "the law of learning rates misses the best rate of {block} at {size} by {regret:.4} nats when that width is left out, more than \
     `tune.max_regret` = {limit}; list more sizes in `tune.sizes`, or raise it"
)]
pub struct LawRejected {
    /// Label of the size that was left out.
    pub size: String,
    /// Label of the block.
    pub block: String,
    /// The regret in nats.
    pub regret: f64,
    /// The largest that is allowed.
    pub limit: f64,
}

impl Cell {
    /// Its labels.
    pub fn name(&self) -> CellName {
        (self.run.label.size.clone(), self.run.label.block.clone())
    }

    /// The run of a trial.
    pub fn trial(&self, training: TrainingConfig) -> Run {
        let label = RunLabel {
            size: format!(
                "{}, rate {:e}, tables {:e}, decay {}",
                self.run.label.size,
                training.learning_rate,
                training.table_learning_rate,
                training.weight_decay
            ),
            ..self.run.label.clone()
        };
        Run {
            label,
            training,
            ..self.run.clone()
        }
    }
}

/// The cells that the runs of `plan` depend on; none without `[tune]`.
///
/// # Errors
/// If a model's configuration is invalid.
pub fn cells(plan: &Plan) -> Result<Vec<Cell>, ConfigError> {
    let Some(tune) = &plan.sweep.tune else {
        return Ok(Vec::new());
    };
    let is_transferred = |run: &Run| !tune.tunes(&run.size);
    let needs_all = plan.runs.iter().any(is_transferred);
    let mut cells = Vec::new();
    let tuned = plan
        .sweep
        .sizes
        .iter()
        .filter(|size| tune.tunes(&size.name));
    for size in tuned {
        for mut run in runs_of(&plan.sweep, size)? {
            let is_own =
                |other: &Run| (&other.size, &other.label.block) == (&run.size, &run.label.block);
            if !needs_all && !plan.runs.iter().any(is_own) {
                continue;
            }
            run.label.seed = tune.seed;
            run.data.seed = tune.seed;
            run.tuning = Tuning::default();
            cells.push(Cell {
                has_tables: run.cost.params_table > 0,
                scale: scale(&run)?,
                run,
            });
        }
    }
    Ok(cells)
}

/// ln N and ln D: parameters of the dense decoder of the run's size without its vocabulary, and training tokens.
fn scale(run: &Run) -> Result<Scale, ConfigError> {
    let decoder = &run.model.decoder;
    let dense = ModelConfig {
        decoder: decoder.clone(),
        blocks: Vec::new(),
    };
    let vocabularies = if decoder.tie_embeddings { 1 } else { 2 };
    let vocabulary = (vocabularies * decoder.vocab_size * decoder.d_model) as u64;
    let params = dense.cost()?.params_dense.saturating_sub(vocabulary).max(1);
    Ok(((params as f64).ln(), (run.budget.tokens as f64).ln()))
}

/// The plan of trials: its runs are executed and recorded like those of a sweep, in a folder of their own.
pub fn trial_plan(sweep: &Sweep, tune: &TuneConfig, runs: Vec<Run>) -> Plan {
    let mut sweep = sweep.clone();
    sweep.name = tuning_name(&sweep.name);
    sweep.seeds = vec![tune.seed];
    sweep.decide = None;
    Plan {
        sweep,
        runs,
        further: Vec::new(),
    }
}

/// Name of the trials of the sweep called `name`.
pub fn tuning_name(name: &str) -> String {
    format!("{name}-tuning")
}

/// `plan` with the settings that were picked. Runs whose search has not ended keep the settings of the file.
///
/// # Errors
/// If the law that gives the rates of other sizes is rejected.
pub fn with_picks(mut plan: Plan, cells: &[Cell], picks: &Picks) -> Result<Plan, LawRejected> {
    let Some(tune) = plan.sweep.tune.clone() else {
        return Ok(plan);
    };
    let ended: Vec<(&Cell, &Pick)> = cells
        .iter()
        .filter_map(|cell| Some((cell, picks.get(&cell.name())?)))
        .collect();
    let transfer = match ended.len() == cells.len() && !cells.is_empty() {
        true => Some(Transfer::new(&plan.sweep, &tune, &ended)?),
        false => None,
    };
    for run in plan.runs.iter_mut().chain(&mut plan.further) {
        let (size, block) = (&run.size, &run.label.block);
        if tune.tunes(size) {
            let own = ended
                .iter()
                .find(|(cell, _)| (&cell.run.size, &cell.run.label.block) == (size, block));
            if let Some((_, pick)) = own {
                run.training = pick.training.clone();
                let curves = pick.curves.iter();
                run.tuning.curves = curves.map(|curve| (size.clone(), curve.clone())).collect();
            }
        } else if let Some(transfer) = &transfer {
            transfer.apply(run);
        }
    }
    Ok(plan)
}

/// The law, and the picks that it rests on.
struct Transfer<'a> {
    ended: &'a [(&'a Cell, &'a Pick)],
    law: Law,
    words: String,
}

impl<'a> Transfer<'a> {
    fn new(
        sweep: &Sweep,
        tune: &TuneConfig,
        ended: &'a [(&'a Cell, &'a Pick)],
    ) -> Result<Self, LawRejected> {
        let tuned: Vec<Tuned> = ended
            .iter()
            .filter_map(|(cell, pick)| {
                Some(Tuned {
                    size: &cell.run.label.size,
                    block: &cell.run.label.block,
                    scale: cell.scale,
                    curve: pick.curves.first()?,
                })
            })
            .collect();
        let is_needed = sweep.sizes.iter().any(|size| !tune.tunes(&size.name));
        let (law, checked) = match is_needed {
            true => Law::choose(&tuned),
            false => (Law::fit(&tuned, Form::Power), Vec::new()),
        };
        let worst = checked.iter().max_by(|a, b| a.regret.total_cmp(&b.regret));
        if let Some(worst) = worst.filter(|worst| worst.regret > tune.max_regret) {
            return Err(LawRejected {
                size: worst.size.clone(),
                block: worst.block.clone(),
                regret: worst.regret,
                limit: tune.max_regret,
            });
        }
        let words = worst.map_or_else(String::new, |worst| {
            format!(
                "ln rate = a(block) {:+.3} ln N {:+.3} ln D; each width predicted by the others: at most {:.4} nats above its best \
                 ({} at {})",
                law.params, law.tokens, worst.regret, worst.block, worst.size
            )
        });
        Ok(Self { ended, law, words })
    }

    fn apply(&self, run: &mut Run) {
        let block = run.label.block.as_str();
        let Some(rate) = scale(run)
            .ok()
            .and_then(|scale| self.law.rate(block, scale))
        else {
            return;
        };
        let own: Vec<(&str, &Pick)> = self
            .ended
            .iter()
            .filter(|(cell, _)| cell.run.label.block == block)
            .map(|(cell, pick)| (cell.run.label.size.as_str(), *pick))
            .collect();
        let mut training = Setting::LearningRate.set(&run.training, rate);
        for setting in [Setting::TableRatio, Setting::WeightDecay] {
            let picked: Vec<f64> = own
                .iter()
                .flat_map(|(_, pick)| &pick.curves)
                .filter(|curve| curve.setting == setting)
                .map(|curve| curve.picked)
                .collect();
            if !picked.is_empty() {
                training = setting.set(&training, middle(&picked));
            }
        }
        run.training = training;
        let curves = own.iter().flat_map(|(size, pick)| {
            let curves = pick.curves.iter();
            curves.map(|curve| ((*size).to_owned(), curve.clone()))
        });
        run.tuning.curves = curves.collect::<Vec<(String, Curve)>>();
        run.tuning.law.clone_from(&self.words);
    }
}

/// The geometric mean; the arithmetic one where a value is 0.
fn middle(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    rounded(match values.iter().all(|&value| value > 0.0) {
        true => (values.iter().map(|value| value.ln()).sum::<f64>() / n).exp(),
        false => values.iter().sum::<f64>() / n,
    })
}

#[cfg(test)]
mod tests {
    use super::super::search::{Outcome, Search, search};
    use super::*;

    const TUNE: &str = "[tune]\nseed = 9\nlearning_rate = [1e-3, 2e-3, 4e-3]\n";

    fn plan(tune: &str) -> Plan {
        let sizes = "[sizes.m]\nd_model = 48\nn_heads = 2\ntokens = 4096\n[sizes.l]\nd_model = 64\nn_heads = 2\n\
                     tokens = 4096\n[blocks.dense]";
        let text = crate::testing::SWEEP.replace("[blocks.dense]", sizes);
        let sweep = Sweep::parse("f.toml", &format!("{text}\n{tune}")).unwrap();
        Plan::new(sweep).unwrap()
    }

    /// The picks where the best rate falls as the width to the power -1.
    fn picks(plan: &Plan, cells: &[Cell], noise: f64) -> Picks {
        let tune = plan.sweep.tune.as_ref().unwrap();
        let pick = |cell: &Cell| {
            let width = cell.run.model.decoder.d_model as f64;
            let best = 2e-3 * 32.0 / width * if width > 40.0 { 1.0 + noise } else { 1.0 };
            let outcome = |training: &TrainingConfig| {
                Some(Outcome {
                    run: format!("{}", training.learning_rate),
                    loss: Some(2.0 + 0.2 * (training.learning_rate / best).ln().powi(2)),
                    train_flops: 1.0,
                })
            };
            match search(tune, &cell.run.training, cell.has_tables, &outcome) {
                Search::Picked(pick) => (cell.name(), *pick),
                Search::Trials(_) => panic!("every trial has a result"),
            }
        };
        cells.iter().map(pick).collect()
    }

    #[test]
    fn every_block_at_every_size_has_its_own_rate() {
        let plan = plan(TUNE);
        let cells = cells(&plan).unwrap();
        assert_eq!(cells.len(), 8);
        assert!(
            cells
                .iter()
                .all(|cell| cell.run.label.seed == 9 && cell.run.data.seed == 9)
        );
        assert_eq!(cells.iter().filter(|cell| cell.has_tables).count(), 4);
        let picks = picks(&plan, &cells, 0.0);
        let tuned = with_picks(plan, &cells, &picks).unwrap();
        let l = tuned.runs.iter().find(|run| run.label.size == "l").unwrap();
        assert!((l.training.learning_rate / 1e-3 - 1.0).abs() < 0.01);
        assert_eq!(l.training.table_learning_rate, l.training.learning_rate);
        assert_eq!(l.tuning.curves.len(), 1);
        assert!(l.label.seed == 0 && l.tuning.law.is_empty());
    }

    #[test]
    fn a_size_that_is_not_tuned_follows_the_law_of_the_others() {
        let text = format!("{TUNE}sizes = [\"xs\", \"s\", \"m\"]\n");
        let plan = plan(&text);
        let cells = cells(&plan).unwrap();
        assert_eq!(cells.len(), 6);
        let picks = picks(&plan, &cells, 0.0);
        let tuned = with_picks(plan.clone(), &cells, &picks).unwrap();
        let l = tuned.runs.iter().find(|run| run.label.size == "l").unwrap();
        assert!(
            (l.training.learning_rate / 1e-3 - 1.0).abs() < 0.05,
            "{:?}",
            l.training
        );
        assert!(l.tuning.law.contains("ln N") && l.tuning.curves.len() == 3);
        // Until the last search has ended, the size keeps the rate of the file.
        let part = picks.clone().into_iter().skip(1).collect();
        let before = with_picks(plan, &cells, &part).unwrap();
        let l = before
            .runs
            .iter()
            .find(|run| run.label.size == "l")
            .unwrap();
        assert_eq!((l.training.learning_rate, l.tuning.curves.len()), (1e-3, 0));
        assert_eq!(l.tuning.settings, ["learning_rate", "table_learning_rate"]);
    }

    #[test]
    fn a_law_that_misses_a_width_is_rejected() {
        let text = format!("{TUNE}sizes = [\"xs\", \"s\", \"m\"]\n");
        let plan = plan(&text);
        let cells = cells(&plan).unwrap();
        let picks = picks(&plan, &cells, 1.5);
        let error = with_picks(plan, &cells, &picks).unwrap_err();
        assert!(
            error.regret > 0.01 && error.to_string().contains("tune.sizes"),
            "{error}"
        );
    }
}
