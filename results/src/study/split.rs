//! A lead at equal FLOPs divided into more tokens and better per token.
//!
//! A block that costs less per token is trained on more tokens at equal FLOPs. With L(T) the loss of runs that end after T tokens, each
//! with its own schedule, dense at T_d and the block at T_b,
//!
//! ```text
//! lead = L_dense(T_d) - L_block(T_b)
//! more tokens = mean of L_block(T_d) - L_block(T_b) and L_dense(T_d) - L_dense(T_b)
//! better per token = lead - more tokens
//! ```
//!
//! which is the mean of both orders of the two changes (Shapley's value); where dense has no run at T_b, the first order alone.

use std::f64::consts::LN_2;

use super::grouping::SPLIT;
use super::scores::Suite;
use super::{Measure, Rung, Study};
use crate::RunRow;
use crate::statistics::{Interval, mean_over_seeds, t_quantile};

/// The lead of a block on one rung, divided.
#[derive(Clone, Debug, PartialEq)]
pub struct Split<'s> {
    /// Size and budget.
    pub rung: &'s Rung,
    /// Label of the block.
    pub block: &'s str,
    /// Which loss.
    pub loss: SplitLoss,
    /// Tokens of the block relative to those of dense.
    pub tokens_ratio: f64,
    /// Dense's loss minus the block's, over seeds.
    pub lead: Interval,
    /// The part of more tokens.
    pub more_tokens: Interval,
    /// The part of better per token.
    pub per_token: Interval,
    /// Share of more tokens in the lead; none where the lead is not established.
    pub share: Option<Interval>,
    /// Whether both orders of the changes were measured.
    pub is_both: bool,
}

/// The loss that is divided.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitLoss {
    /// Of the tokens that carry a fact, nats per answer.
    Answers,
    /// Validation loss, nats per token.
    Validation,
}

impl SplitLoss {
    /// In words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Answers => "loss of answers, nats",
            Self::Validation => "validation loss, nats per token",
        }
    }
}

/// The divided leads of all blocks that have runs at the tokens of dense.
pub fn splits<'s>(study: &'s Study, suites: &[Suite]) -> Vec<Split<'s>> {
    let recall = Measure::Recall.suites(suites);
    let added: Vec<&RunRow> = study
        .frames
        .runs()
        .iter()
        .filter(|run| run.matching == SPLIT && run.status == "finished")
        .collect();
    let answers = |run: &RunRow| {
        let items = recall.iter().flat_map(|suite| study.items(run, suite.name));
        let nats: Vec<f64> = items.map(|item| item.answer_nll_bits * LN_2).collect();
        (!nats.is_empty()).then(|| nats.iter().sum::<f64>() / nats.len() as f64)
    };
    let mut found = Vec::new();
    for rung in &study.rungs {
        let dense = study.finished_reference(rung);
        let blocks = study
            .blocks
            .iter()
            .filter(|block| !study.is_reference(block));
        for block in blocks.filter(|block| study.comparable(block, rung)) {
            let own = study.finished(block, rung);
            for loss in [SplitLoss::Answers, SplitLoss::Validation] {
                let of = |run: &RunRow| match loss {
                    SplitLoss::Answers => answers(run),
                    SplitLoss::Validation => Some(run.val_loss).filter(|loss| loss.is_finite()),
                };
                // A run of the same block, seed and size at the other's tokens.
                let at = |run: &RunRow, tokens: u64| {
                    let size = format!("{} at {tokens} tokens", run.size);
                    let same = |other: &&&RunRow| {
                        other.block == run.block && other.seed == run.seed && other.size == size
                    };
                    of(added.iter().find(same)?)
                };
                let quartets: Vec<(f64, f64, bool)> = own
                    .iter()
                    .filter_map(|block| {
                        let dense = dense.iter().find(|dense| dense.seed == block.seed)?;
                        let lead = of(dense)? - of(block)?;
                        let first = at(block, dense.tokens)? - of(block)?;
                        let second =
                            at(dense, block.tokens).map(|longer| Some(of(dense)? - longer));
                        Some(match second.flatten() {
                            Some(second) => (lead, f64::midpoint(first, second), true),
                            None => (lead, first, false),
                        })
                    })
                    .collect();
                if quartets.is_empty() {
                    continue;
                }
                let leads: Vec<f64> = quartets.iter().map(|(lead, ..)| *lead).collect();
                let more: Vec<f64> = quartets.iter().map(|(_, more, _)| *more).collect();
                let better: Vec<f64> = leads.iter().zip(&more).map(|(a, b)| a - b).collect();
                let (ours, theirs) = (super::mean(&own, tokens), super::mean(&dense, tokens));
                found.push(Split {
                    rung,
                    block,
                    loss,
                    tokens_ratio: ours / theirs,
                    lead: mean_over_seeds(&leads),
                    more_tokens: mean_over_seeds(&more),
                    per_token: mean_over_seeds(&better),
                    share: share(&more, &leads),
                    is_both: quartets.iter().all(|(.., is_both)| *is_both),
                });
            }
        }
    }
    found
}

fn tokens(run: &RunRow) -> f64 {
    run.tokens as f64
}

/// Share of `part` in `whole` with Fieller's 95 % interval: all shares at which the mean of `part - share whole` is not
/// distinguishable from zero. None where it is unbounded, as the whole is not established.
fn share(part: &[f64], whole: &[f64]) -> Option<Interval> {
    let n = part.len();
    if n < 2 {
        return None;
    }
    let mean = |values: &[f64]| values.iter().sum::<f64>() / n as f64;
    let (p, w) = (mean(part), mean(whole));
    let covariance = |a: &[f64], b: &[f64]| {
        let (x, y) = (mean(a), mean(b));
        let products = a.iter().zip(b).map(|(a, b)| (a - x) * (b - y));
        products.sum::<f64>() / (n - 1) as f64
    };
    let k = t_quantile(n - 1).powi(2) / n as f64;
    let leading = w * w - k * covariance(whole, whole);
    if leading <= 0.0 {
        return None;
    }
    let middle = p * w - k * covariance(part, whole);
    let last = p * p - k * covariance(part, part);
    let root = (middle * middle - leading * last).max(0.0).sqrt();
    Some(Interval {
        value: p / w,
        low: (middle - root) / leading,
        high: (middle + root) / leading,
        n: n as u64,
        method: "Fieller",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Frames;
    use crate::study::scores::Scores;
    use crate::test_rows::finished_run;

    fn run(block: &str, seed: u64, tokens: u64, loss: f64, split: bool) -> RunRow {
        let base = finished_run(block, seed, loss);
        RunRow {
            run: format!("{block} {seed} {tokens} {split}"),
            tokens,
            size: if split {
                format!("{} at {tokens} tokens", base.size)
            } else {
                base.size.clone()
            },
            matching: if split {
                SPLIT.into()
            } else {
                base.matching.clone()
            },
            ..base
        }
    }

    #[test]
    fn a_lead_is_divided_and_runs_that_divide_it_are_in_no_other_comparison() {
        let mut rows = Vec::new();
        for seed in 0..3u64 {
            let noise = 0.001 * seed as f64;
            rows.push(run("dense", seed, 100, 2.0 + noise, false));
            rows.push(run("memory", seed, 120, 1.8 + noise, false));
            // At dense's tokens the block has 1.85, dense at the block's 1.97.
            rows.push(run("memory", seed, 100, 1.85 + 2.0 * noise, true));
            rows.push(run("dense", seed, 120, 1.97, true));
        }
        let frames = Frames::new(rows.clone(), vec![], vec![], vec![], vec![]);
        let study = Study::new(&frames);
        assert_eq!(study.rungs.len(), 1);
        assert_eq!(study.finished("memory", &study.rungs[0]).len(), 3);
        let suites = Scores::new(&study).suites;
        let found = splits(&study, &suites);
        assert_eq!(found.len(), 1);
        let split = &found[0];
        assert!((split.lead.value - 0.2).abs() < 1e-12 && (split.tokens_ratio - 1.2).abs() < 1e-12);
        // Shapley: the mean of 0.05 and 0.03, with noise of seeds 0, 1 and 2.
        assert!((split.more_tokens.value - 0.041).abs() < 1e-9, "{split:?}");
        assert!((split.per_token.value + split.more_tokens.value - 0.2).abs() < 1e-12);
        assert!(split.is_both);
        let share = split.share.unwrap();
        assert!((share.value - 0.205).abs() < 1e-9 && share.low > 0.19 && share.high < 0.22);
        let first: Vec<RunRow> = rows
            .into_iter()
            .filter(|run| run.block == "memory" || run.matching != SPLIT)
            .collect();
        let frames = Frames::new(first, vec![], vec![], vec![], vec![]);
        let study = Study::new(&frames);
        let found = splits(&study, &suites);
        assert!(!found[0].is_both && (found[0].more_tokens.value - 0.051).abs() < 1e-9);
    }

    #[test]
    fn a_lead_that_is_not_established_has_no_share() {
        assert!(share(&[0.1, 0.2, 0.0], &[0.3, -0.2, 0.1]).is_none());
        let exact = share(&[0.1, 0.2, 0.3], &[0.2, 0.4, 0.6]);
        assert!(exact.is_none_or(|share| (share.value - 0.5).abs() < 1e-12));
        assert!(share(&[0.1], &[0.2]).is_none());
    }
}
