//! How the training settings of each block were searched, and what the search cost.

use std::collections::BTreeMap;

use super::{Rung, Study};
use crate::{RunRow, TrialRow};

/// The search of one block on one rung.
#[derive(Clone, Debug, PartialEq)]
pub struct Search<'a> {
    /// Size and budget of the runs that are compared.
    pub rung: &'a Rung,
    /// Label of the block.
    pub block: &'a str,
    /// The loss that was minimised: `validation_loss` or `answer_loss`.
    pub measure: &'a str,
    /// The curves of each size that was searched, by size and setting.
    pub curves: Vec<Curve<'a>>,
    /// Learning rate of the runs that are compared.
    pub learning_rate: Option<f64>,
    /// The law by which it was transferred; empty where the size was searched itself.
    pub law: &'a str,
    /// Training FLOPs of all trials relative to those of the runs that are compared, on all rungs that share the trials.
    pub charge: f64,
}

/// The trials of one setting at one size.
#[derive(Clone, Debug, PartialEq)]
pub struct Curve<'a> {
    /// Label of the size of the trials.
    pub size: &'a str,
    /// `learning_rate`, `table_ratio` or `weight_decay`.
    pub setting: &'a str,
    /// Value and loss of each trial, ascending; NaN where it failed.
    pub trials: Vec<(f64, f64)>,
    /// The value picked.
    pub picked: f64,
    /// Whether the best value was at the edge of the values tried.
    pub at_edge: bool,
}

/// The searches of all blocks on all rungs; empty without `[tune]`.
pub fn searches<'s>(study: &'s Study<'s>) -> Vec<Search<'s>> {
    let mut trials: BTreeMap<&str, Vec<&TrialRow>> = BTreeMap::new();
    for trial in study.frames.trials() {
        trials.entry(&trial.run).or_default().push(trial);
    }
    let of = |run: &RunRow| trials.get(run.run.as_str()).map_or(&[][..], Vec::as_slice);
    // Trials that serve several rungs are charged to all runs of these together.
    let mut judged: BTreeMap<(&str, &str), f64> = BTreeMap::new();
    for run in study.frames.runs() {
        for trial in of(run) {
            *judged.entry((&run.block, &trial.trial)).or_default() += run.train_flops;
        }
    }
    let mut found = Vec::new();
    for rung in &study.rungs {
        for block in &study.blocks {
            let runs = study.finished(block, rung);
            let Some(first) = runs.first().filter(|run| !of(run).is_empty()) else {
                continue;
            };
            let charges = of(first)
                .iter()
                .filter_map(|trial| Some(trial.train_flops / judged.get(&(*block, &trial.trial))?));
            found.push(Search {
                rung,
                block,
                measure: &of(first)[0].measure,
                curves: curves(of(first)),
                learning_rate: learning_rate(first),
                law: &of(first)[0].law,
                charge: charges.sum(),
            });
        }
    }
    found
}

fn curves<'a>(trials: &[&'a TrialRow]) -> Vec<Curve<'a>> {
    let mut curves: Vec<Curve> = Vec::new();
    for trial in trials {
        let own = |curve: &&mut Curve| {
            curve.size == trial.size.as_str() && curve.setting == trial.setting.as_str()
        };
        match curves.iter_mut().find(own) {
            Some(curve) => curve.trials.push((trial.value, trial.loss)),
            None => curves.push(Curve {
                size: &trial.size,
                setting: &trial.setting,
                trials: vec![(trial.value, trial.loss)],
                picked: trial.picked,
                at_edge: trial.at_edge,
            }),
        }
    }
    for curve in &mut curves {
        curve.trials.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    curves
}

/// The rate in the configuration of a run.
fn learning_rate(run: &RunRow) -> Option<f64> {
    let line = run
        .config
        .lines()
        .find_map(|line| line.strip_prefix("learning_rate = "));
    line?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;
    use crate::test_rows::finished_run;

    #[test]
    fn trials_that_serve_two_seeds_are_charged_to_both() {
        let run = |seed: u64| RunRow {
            run: format!("r{seed}"),
            train_flops: 100.0,
            config: "[training]\nlearning_rate = 0.002\n".into(),
            ..finished_run("dense", seed, 1.0)
        };
        let trial = |run: &str, value: f64, at: &str| TrialRow {
            run: run.into(),
            trial: at.into(),
            size: "s".into(),
            setting: "learning_rate".into(),
            value,
            loss: value,
            measure: "validation_loss".into(),
            train_flops: 50.0,
            picked: 1e-3,
            at_edge: true,
            law: String::new(),
        };
        let trials = ["r0", "r1"]
            .iter()
            .flat_map(|run| [trial(run, 2e-3, "b"), trial(run, 1e-3, "a")])
            .collect();
        let frames = Frames::new(vec![run(0), run(1)], vec![], vec![], vec![], vec![]);
        let frames = frames.with_trials(trials);
        let study = Study::new(&frames);
        let found = searches(&study);
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].charge, found[0].learning_rate), (0.5, Some(2e-3)));
        assert_eq!(found[0].curves[0].trials, [(1e-3, 1e-3), (2e-3, 2e-3)]);
        assert!(found[0].curves[0].at_edge);
    }
}
