//! The rows of the search that gave a run its training settings.

use experiment::plan::Tuning;
use results::TrialRow;

/// The rows of `tuning` for the run named `run`.
pub fn trial_rows(run: &str, tuning: &Tuning) -> Vec<TrialRow> {
    let rows = tuning.curves.iter().flat_map(|(size, curve)| {
        curve.trials.iter().map(move |(value, trial)| TrialRow {
            run: run.to_owned(),
            trial: trial.run.clone(),
            size: size.clone(),
            setting: curve.setting.key().to_owned(),
            value: *value,
            loss: trial.loss.unwrap_or(f64::NAN),
            measure: tuning.by.name().to_owned(),
            train_flops: trial.train_flops,
            picked: curve.picked,
            at_edge: curve.at_edge,
            law: tuning.law.clone(),
        })
    });
    rows.collect()
}
