//! Forecasts from all budgets that are done.

use std::collections::BTreeMap;
use std::f64::consts::LN_2;

use super::predict::{BudgetPoint, Distribution, NoForecast, Prediction, Scale, predict};
use super::sealed::{FORMAT, Forecast, Quantity, RULE, Sealed};
use crate::study::scores::{Scores, Suite};
use crate::study::{BlockRole, Measure, Rung, Study};
use crate::{Frames, ItemRow, RunRow};

/// A value of a run.
type OfRun<'f> = dyn Fn(&RunRow) -> Option<f64> + 'f;

/// A forecast at `flops` of means over `seeds`, from all budgets of `frames`; without date, commit and hash.
///
/// # Arguments
/// * `floor`: the validation loss that no compute removes.
///
/// # Errors
/// If dense itself cannot be forecast.
pub fn forecasts(
    frames: &Frames,
    sweep: &str,
    (flops, seeds): (f64, usize),
    floor: f64,
) -> Result<Sealed, NoForecast> {
    let study = Study::new(frames);
    let suites = Scores::new(&study).suites;
    let budgets = study.budgets();
    let mut found = Vec::new();
    let mut used: BTreeMap<String, (u64, u64)> = BTreeMap::new();
    let values = Values {
        study: &study,
        recall: Measure::Recall.suites(&suites),
    };
    let dense = study.label(BlockRole::Dense);
    for block in &study.blocks {
        let best = |block: &str| best_runs(&study, &budgets, block, &suites);
        let own = best(block);
        for run in own.iter().flat_map(|(_, runs)| runs) {
            let answer = values.answer_loss(run).unwrap_or(f64::NAN);
            used.insert(run.run.clone(), (run.val_loss.to_bits(), answer.to_bits()));
        }
        let mut add = |quantity, points: &[BudgetPoint], scale| -> Result<Prediction, NoForecast> {
            let prediction = predict(points, flops, seeds, scale)?;
            found.push(Forecast {
                block: (*block).to_owned(),
                quantity,
                law: prediction.law,
                inflation: prediction.inflation,
                distribution: prediction.distribution,
                as_last: prediction.as_last,
                no_difference: None,
            });
            Ok(prediction)
        };
        let points = |of: &OfRun| points(&own, of);
        let log_loss = |run: &RunRow| Some((run.val_loss - floor).ln()).filter(|y| y.is_finite());
        let validation = add(
            Quantity::ValidationLoss,
            &points(&log_loss),
            Scale::LogAbove { floor },
        );
        if Some(*block) == dense {
            validation?;
        }
        let log_answer = |run: &RunRow| {
            let logarithm = values.answer_loss(run).map(f64::ln);
            logarithm.filter(|y| y.is_finite())
        };
        let answer = points(&log_answer);
        if let Ok(prediction) = add(
            Quantity::AnswerLoss,
            &answer,
            Scale::LogAbove { floor: 0.0 },
        ) && let Some(scale) = values.logistic()
        {
            found.push(Forecast {
                block: (*block).to_owned(),
                quantity: Quantity::Recall,
                law: prediction.law,
                inflation: prediction.inflation,
                distribution: Distribution {
                    scale,
                    ..prediction.distribution
                },
                as_last: Distribution {
                    scale,
                    ..prediction.as_last
                },
                no_difference: None,
            });
        }
        let Some(dense) = dense.filter(|dense| dense != block) else {
            continue;
        };
        let theirs = best(dense);
        let leads: [(Quantity, &OfRun); 2] = [
            (Quantity::ValidationLead, &|run| {
                Some(run.val_loss).filter(|loss| loss.is_finite())
            }),
            (Quantity::AnswerLead, &|run| values.answer_loss(run)),
        ];
        for (quantity, of) in leads {
            let points = paired(&own, &theirs, of);
            if let Ok(prediction) = predict(&points, flops, seeds, Scale::Linear) {
                found.push(Forecast {
                    block: (*block).to_owned(),
                    quantity,
                    law: prediction.law,
                    inflation: prediction.inflation,
                    distribution: prediction.distribution,
                    as_last: prediction.as_last,
                    no_difference: Some(Distribution {
                        centre: 0.0,
                        ..prediction.as_last
                    }),
                });
            }
        }
    }
    let mut rows = blake3::Hasher::new();
    for (run, (validation, answer)) in &used {
        rows.update(format!("{run} {validation:x} {answer:x}\n").as_bytes());
    }
    Ok(Sealed {
        format: FORMAT,
        sweep: sweep.to_owned(),
        written: String::new(),
        commit: String::new(),
        flops,
        seeds,
        floor,
        rule: RULE.to_owned(),
        budgets: budgets.iter().map(|budget| budget[0].flops).collect(),
        runs: used.len(),
        rows: rows.finalize().to_hex().to_string(),
        forecasts: found,
        previous: String::new(),
        hash: String::new(),
    })
}

/// The finished runs of a block at its best size of each budget.
pub(super) fn best_runs<'a>(
    study: &Study<'a>,
    budgets: &[Vec<&Rung>],
    block: &str,
    suites: &[Suite],
) -> Vec<(f64, Vec<&'a RunRow>)> {
    let suites: Vec<&Suite> = suites.iter().collect();
    let best = budgets.iter().filter_map(|budget| {
        let (_, rung) = study.best(block, budget, &suites)?;
        Some((budget[0].flops, study.finished(block, rung)))
    });
    best.collect()
}

/// Values of runs that are forecast.
pub(super) struct Values<'s, 'a> {
    pub study: &'s Study<'a>,
    pub recall: Vec<&'s Suite<'a>>,
}

impl Values<'_, '_> {
    fn mean_of_items(&self, run: &RunRow, of: impl Fn(&ItemRow) -> f64) -> Option<f64> {
        let items = self
            .recall
            .iter()
            .flat_map(|suite| self.study.items(run, suite.name));
        let values: Vec<f64> = items.map(|item| of(item)).collect();
        (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Mean loss of the tokens that carry a fact, in nats.
    pub fn answer_loss(&self, run: &RunRow) -> Option<f64> {
        self.mean_of_items(run, |item| item.answer_nll_bits * LN_2)
    }

    /// Recall in percent.
    pub fn recall(&self, run: &RunRow) -> Option<f64> {
        self.mean_of_items(run, |item| 100.0 * f64::from(u8::from(item.correct)))
    }

    /// The logistic curve of recall over the loss of answers, by least squares on the logit over all finished runs; none where recall
    /// does not rise as the loss falls, or fewer than three runs are between 0 and 100 %.
    fn logistic(&self) -> Option<Scale> {
        let finished = self
            .study
            .frames
            .runs()
            .iter()
            .filter(|run| run.status == "finished");
        let points: Vec<(f64, f64)> = finished
            .filter_map(|run| {
                let share = self.recall(run)? / 100.0;
                let is_inside = share > 0.0 && share < 1.0;
                is_inside.then_some((self.answer_loss(run)?, (share / (1.0 - share)).ln()))
            })
            .collect();
        let n = points.len() as f64;
        let mean = |of: &dyn Fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
        let (x, y) = (mean(&|point| point.0), mean(&|point| point.1));
        let slope =
            mean(&|point| (point.0 - x) * (point.1 - y)) / mean(&|point| (point.0 - x).powi(2));
        (points.len() >= 3 && slope < 0.0).then_some(Scale::Logistic {
            level: y - slope * x,
            slope,
        })
    }
}

fn points(budgets: &[(f64, Vec<&RunRow>)], of: &OfRun) -> Vec<BudgetPoint> {
    let points = budgets.iter().map(|(flops, runs)| BudgetPoint {
        flops: *flops,
        values: runs.iter().filter_map(|run| of(run)).collect(),
    });
    points.filter(|point| !point.values.is_empty()).collect()
}

/// Differences on the seeds that both have.
pub(super) fn paired(
    ours: &[(f64, Vec<&RunRow>)],
    theirs: &[(f64, Vec<&RunRow>)],
    of: &OfRun,
) -> Vec<BudgetPoint> {
    let both = ours.iter().filter_map(|(flops, ours)| {
        let (_, theirs) = theirs.iter().find(|(other, _)| other == flops)?;
        let difference = |run: &&RunRow| {
            let other = theirs.iter().find(|other| other.seed == run.seed)?;
            Some(of(run)? - of(other)?)
        };
        Some(BudgetPoint {
            flops: *flops,
            values: ours.iter().filter_map(difference).collect(),
        })
    });
    both.filter(|point| !point.values.is_empty()).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::test_rows::finished_run;

    /// Dense follows a power law, memory is 10 % lower; three seeds.
    pub fn ladder(budgets: &[f64]) -> Frames {
        let mut runs = Vec::new();
        for &flops in budgets {
            for seed in 0..3u64 {
                let noise = 1.0 + 0.01 * (seed as f64 - 1.0);
                for (block, factor) in [("dense", 1.0), ("memory", 0.9)] {
                    let loss = factor * noise * 2.0 * (flops / 1e12).powf(-0.1);
                    runs.push(RunRow {
                        run: format!("{block}-{flops}-{seed}"),
                        target_flops: flops,
                        train_flops: flops,
                        matching: "flops".into(),
                        size: format!("s@{flops}"),
                        ..finished_run(block, seed, loss)
                    });
                }
            }
        }
        Frames::new(runs, vec![], vec![], vec![], vec![])
    }

    #[test]
    fn a_power_law_is_extrapolated_and_a_lead_is_paired() {
        let frames = ladder(&[1e12, 3e12, 9e12]);
        let sealed = forecasts(&frames, "test", (27e12, 3), 0.0).unwrap();
        assert_eq!((sealed.budgets.len(), sealed.runs), (3, 18));
        let of = |block: &str, quantity| {
            let found = sealed.forecasts.iter();
            let mut found = found.filter(|of| of.block == block && of.quantity == quantity);
            found.next().unwrap().distribution
        };
        let expected = 2.0 * 27f64.powf(-0.1);
        let dense = of("dense", Quantity::ValidationLoss);
        assert!((dense.quantile(0.5) - expected).abs() < 0.001);
        let (low, high) = dense.interval(0.95);
        assert!(low > 0.97 * expected && high < 1.03 * expected && low < expected);
        let lead = of("memory", Quantity::ValidationLead);
        assert!((lead.quantile(0.5) + 0.1 * expected).abs() < 0.02);
        assert!(
            sealed
                .forecasts
                .iter()
                .all(|of| of.quantity != Quantity::Recall)
        );
    }

    #[test]
    fn a_changed_record_is_noticed() {
        let frames = ladder(&[1e12, 3e12, 9e12]);
        let sealed = forecasts(&frames, "test", (27e12, 3), 0.0)
            .unwrap()
            .sealed();
        let text = sealed.to_json().unwrap();
        assert_eq!(Sealed::parse(&text), Ok(sealed));
        let changed = text.replacen("\"seeds\": 3", "\"seeds\": 4", 1);
        assert!(
            Sealed::parse(&changed)
                .unwrap_err()
                .contains("changed after")
        );
        assert!(Sealed::parse("{}").is_err());
        assert!(
            Sealed::parse(&text.replace("\"format\": 1", "\"format\": 9"))
                .unwrap_err()
                .contains("format 9")
        );
    }
}
