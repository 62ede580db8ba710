//! The search of one block at one size: a grid for each setting, one after another.
//!
//! The learning rate comes first, then the ratio of the tables' rate to it, then weight decay. Of a grid the best value and its
//! neighbours are joined by a parabola in the logarithm of the value, and its vertex is picked. Where the best value is at the edge, the grid is extended; where it still is, the edge is picked and flagged.

use crate::sweep_file::TuneConfig;
use crate::training::TrainingConfig;

/// A setting that is searched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Setting {
    /// Learning rate of the dense parameters.
    LearningRate,
    /// Ratio of the tables' learning rate to it.
    TableRatio,
    /// Weight decay.
    WeightDecay,
}

impl Setting {
    /// Its key in `[tune]`.
    pub fn key(self) -> &'static str {
        match self {
            Self::LearningRate => "learning_rate",
            Self::TableRatio => "table_ratio",
            Self::WeightDecay => "weight_decay",
        }
    }

    /// Its value in a training configuration.
    pub fn of(self, training: &TrainingConfig) -> f64 {
        match self {
            Self::LearningRate => training.learning_rate,
            Self::TableRatio => training.table_learning_rate / training.learning_rate,
            Self::WeightDecay => training.weight_decay,
        }
    }

    /// The configuration with this value; a learning rate takes the tables' rate with it.
    pub fn set(self, training: &TrainingConfig, value: f64) -> TrainingConfig {
        let mut training = training.clone();
        match self {
            Self::LearningRate => {
                let ratio = Self::TableRatio.of(&training);
                training.learning_rate = value;
                training.table_learning_rate = rounded(ratio * value);
            }
            Self::TableRatio => {
                training.table_learning_rate = rounded(value * training.learning_rate);
            }
            Self::WeightDecay => training.weight_decay = value,
        }
        training
    }
}

/// The result of a trial.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Name of its run.
    pub run: String,
    /// The loss that is minimised; none if the trial failed or its loss is not finite.
    pub loss: Option<f64>,
    /// Training FLOPs.
    pub train_flops: f64,
}

/// The trials of one setting, ascending, and what was picked.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve {
    /// The setting.
    pub setting: Setting,
    /// Each value with its result.
    pub trials: Vec<(f64, Outcome)>,
    /// The value picked.
    pub picked: f64,
    /// Whether the best value is at the edge of the extended grid, so that a better one may lie outside, or no trial has a loss.
    pub at_edge: bool,
}

/// A search that has ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Pick {
    /// The training configuration picked.
    pub training: TrainingConfig,
    /// One for each setting that was searched, in order.
    pub curves: Vec<Curve>,
}

/// The state of a search.
#[derive(Clone, Debug, PartialEq)]
pub enum Search {
    /// The trials that are needed next.
    Trials(Vec<TrainingConfig>),
    /// The end.
    Picked(Box<Pick>),
}

/// The state of the search from `base`, given the results so far.
///
/// # Arguments
/// * `has_tables`: whether the block has tables; their rate is not searched otherwise.
/// * `outcome`: the result of a trial, none if it has not ended.
pub fn search(
    config: &TuneConfig,
    base: &TrainingConfig,
    has_tables: bool,
    outcome: &dyn Fn(&TrainingConfig) -> Option<Outcome>,
) -> Search {
    let table_ratio = if has_tables {
        &config.table_ratio[..]
    } else {
        &[]
    };
    let stages = [
        (Setting::LearningRate, &config.learning_rate[..]),
        (Setting::TableRatio, table_ratio),
        (Setting::WeightDecay, &config.weight_decay[..]),
    ];
    let mut training = base.clone();
    let mut curves = Vec::new();
    for (setting, grid) in stages.into_iter().filter(|(_, grid)| !grid.is_empty()) {
        match stage(setting, grid, config.extensions, &training, outcome) {
            Ok(curve) => {
                training = setting.set(&training, curve.picked);
                curves.push(curve);
            }
            Err(trials) => return Search::Trials(trials),
        }
    }
    Search::Picked(Box::new(Pick { training, curves }))
}

/// The curve of one setting.
///
/// # Errors
/// The trials that it needs.
fn stage(
    setting: Setting,
    grid: &[f64],
    extensions: usize,
    base: &TrainingConfig,
    outcome: &dyn Fn(&TrainingConfig) -> Option<Outcome>,
) -> Result<Curve, Vec<TrainingConfig>> {
    let mut values = grid.to_vec();
    let mut left = extensions;
    loop {
        let trainings: Vec<TrainingConfig> = values
            .iter()
            .map(|&value| setting.set(base, value))
            .collect();
        let found: Vec<Option<Outcome>> = trainings.iter().map(outcome).collect();
        let missing = trainings
            .iter()
            .zip(&found)
            .filter(|(_, found)| found.is_none());
        let missing: Vec<TrainingConfig> = missing.map(|(training, _)| training.clone()).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let trials: Vec<(f64, Outcome)> = values
            .iter()
            .copied()
            .zip(found.into_iter().flatten())
            .collect();
        let losses: Vec<f64> = trials.iter().map(|(_, trial)| loss(trial)).collect();
        let best = (0..losses.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b]));
        let Some(best) = best.filter(|&best| losses[best].is_finite()) else {
            return Ok(Curve {
                setting,
                trials,
                picked: setting.of(base),
                at_edge: true,
            });
        };
        let is_edge = best == 0 || best + 1 == values.len();
        match extended(&values, best).filter(|_| is_edge && left > 0) {
            Some(value) => {
                left -= 1;
                values.push(value);
                values.sort_by(f64::total_cmp);
            }
            None => {
                return Ok(Curve {
                    setting,
                    picked: vertex(&values, &losses, best).unwrap_or(values[best]),
                    trials,
                    at_edge: is_edge,
                });
            }
        }
    }
}

/// The loss of a trial, infinite if it has none.
fn loss(trial: &Outcome) -> f64 {
    trial
        .loss
        .filter(|loss| loss.is_finite())
        .unwrap_or(f64::INFINITY)
}

/// The value beyond the edge `best`, as far from it as its neighbour in the logarithm; none beside 0 and beyond what a
/// configuration may have.
fn extended(values: &[f64], best: usize) -> Option<f64> {
    let neighbour = if best == 0 { 1 } else { best - 1 };
    let value = rounded(values[best] * values[best] / values.get(neighbour)?);
    (value.is_finite() && value > 1e-12 && value < 10.0).then_some(value)
}

/// The vertex of the parabola in ln(value) through the best value and its neighbours; none at an edge, beside 0 or beside a failed
/// trial, where there is no parabola.
fn vertex(values: &[f64], losses: &[f64], best: usize) -> Option<f64> {
    let around = best.checked_sub(1)?..=best + 1;
    let (values, losses) = (values.get(around.clone())?, losses.get(around)?);
    let is_defined = values[0] > 0.0 && losses.iter().all(|loss| loss.is_finite());
    let x: Vec<f64> = values.iter().map(|value| value.ln()).collect();
    is_defined.then(|| rounded(minimum(&x, losses).0.exp()))
}

/// Place and value of the minimum of the parabola through three points, of which the middle one is the lowest; the middle point where
/// all are equal.
pub(super) fn minimum(x: &[f64], y: &[f64]) -> (f64, f64) {
    let slope_low = (y[1] - y[0]) / (x[1] - x[0]);
    let slope_high = (y[2] - y[1]) / (x[2] - x[1]);
    let curvature = (slope_high - slope_low) / (x[2] - x[0]);
    if curvature <= 0.0 {
        return (x[1], y[1]);
    }
    let at = f64::midpoint(x[0], x[1]) - slope_low / (2.0 * curvature);
    (at, parabola(x, y, at))
}

/// The parabola through three points at `at`.
pub(super) fn parabola(x: &[f64], y: &[f64], at: f64) -> f64 {
    let slope_low = (y[1] - y[0]) / (x[1] - x[0]);
    let slope_high = (y[2] - y[1]) / (x[2] - x[1]);
    let curvature = (slope_high - slope_low) / (x[2] - x[0]);
    y[0] + slope_low * (at - x[0]) + curvature * (at - x[0]) * (at - x[1])
}

/// Three significant digits: the last bits of a logarithm differ between processors, and the value names runs.
pub(super) fn rounded(value: f64) -> f64 {
    format!("{value:.2e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    fn config(text: &str) -> (TuneConfig, TrainingConfig) {
        let file = format!("{}\n[tune]\nseed = 9\n{text}", crate::testing::SWEEP);
        let sweep = crate::sweep_file::Sweep::parse("f.toml", &file).unwrap();
        (sweep.tune.unwrap(), sweep.sizes[0].training.clone())
    }

    /// Runs a search to its end on a made-up loss, and gives the number of trials.
    fn run(text: &str, has_tables: bool, of: impl Fn(&TrainingConfig) -> f64) -> (Pick, usize) {
        let (config, base) = config(text);
        let done: RefCell<Vec<TrainingConfig>> = RefCell::default();
        let outcome = |training: &TrainingConfig| {
            let is_done = done.borrow().contains(training);
            is_done.then(|| Outcome {
                run: String::new(),
                loss: Some(of(training)),
                train_flops: 1.0,
            })
        };
        loop {
            match search(&config, &base, has_tables, &outcome) {
                Search::Picked(pick) => return (*pick, done.borrow().len()),
                Search::Trials(trials) => {
                    assert!(!trials.is_empty() && done.borrow().len() < 100);
                    done.borrow_mut().extend(trials);
                }
            }
        }
    }

    fn bowl(value: f64, best: f64) -> f64 {
        (value / best).ln().powi(2)
    }

    #[test]
    fn the_vertex_is_picked_and_each_setting_builds_on_the_one_before() {
        let text = "learning_rate = [1e-3, 2e-3, 4e-3]\ntable_ratio = [1.0, 2.0, 4.0]\n\
                    weight_decay = [0.0, 0.1, 0.2]";
        let loss = |training: &TrainingConfig| {
            bowl(training.learning_rate, 2.5e-3)
                + bowl(training.table_learning_rate / training.learning_rate, 1.9)
                + (training.weight_decay - 0.1).powi(2)
        };
        let (pick, trials) = run(text, true, loss);
        assert!((pick.training.learning_rate / 2.5e-3 - 1.0).abs() < 0.01);
        let ratio = pick.training.table_learning_rate / pick.training.learning_rate;
        assert!((ratio / 1.9 - 1.0).abs() < 0.02, "{ratio}");
        // Beside 0 there is no parabola in the logarithm.
        assert_eq!(pick.training.weight_decay, 0.1);
        assert!(pick.curves.iter().all(|curve| !curve.at_edge));
        assert_eq!((pick.curves.len(), trials), (3, 9));
        let (pick, trials) = run(text, false, loss);
        assert_eq!((pick.curves.len(), trials), (2, 6));
    }

    #[test]
    fn a_grid_is_extended_at_its_edge_and_what_stays_there_is_flagged() {
        let text = "learning_rate = [1e-3, 2e-3, 4e-3]\nextensions = 2";
        let (pick, trials) = run(text, false, |t| bowl(t.learning_rate, 8.2e-3));
        assert!((pick.training.learning_rate / 8.2e-3 - 1.0).abs() < 0.01 && trials == 5);
        assert!(!pick.curves[0].at_edge);
        let (pick, trials) = run(text, false, |t| bowl(t.learning_rate, 1e-5));
        assert_eq!((pick.training.learning_rate, trials), (2.5e-4, 5));
        assert!(pick.curves[0].at_edge);
    }

    #[test]
    fn failed_trials_are_never_picked() {
        let text = "learning_rate = [1e-3, 2e-3, 4e-3]\nextensions = 0";
        let loss = |t: &TrainingConfig| match t.learning_rate > 3e-3 {
            true => f64::NAN,
            false => bowl(t.learning_rate, 2.2e-3),
        };
        let (pick, _) = run(text, false, loss);
        assert_eq!(pick.training.learning_rate, 2e-3);
        let (pick, _) = run(text, false, |_| f64::NAN);
        assert_eq!(pick.training.learning_rate, 1e-3);
        assert!(pick.curves[0].at_edge);
    }
}
