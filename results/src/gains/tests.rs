//! Invariants of gains, and worked examples.

use super::*;
use crate::fits::Reading;
use crate::test_rows::finished_run;
use crate::{ItemRow, StepRow};

fn losses(cost: f64, seeds: &[f64]) -> RungLosses {
    RungLosses {
        cost,
        seeds: seeds.to_vec(),
    }
}

/// `right` of 60 items about 30 subjects.
fn answers(right: impl Fn(usize) -> bool) -> Vec<ItemRow> {
    (0..60)
        .map(|i| ItemRow {
            run: "r".into(),
            suite: "s".into(),
            task: format!("relation {}", i % 2),
            item: format!("relation {}/subject {}", i % 2, i / 2),
            correct: right(i),
            answer_tokens: 2,
            answer_nll_bits: 1.0,
            end_nll_bits: 0.1,
            expected: String::new(),
            given: String::new(),
            detail: String::new(),
        })
        .collect()
}

fn rung(cost: f64, seeds: &[Vec<ItemRow>]) -> RungItems<'_> {
    RungItems {
        cost,
        seeds: seeds.iter().map(|rows| rows.iter().collect()).collect(),
    }
}

#[test]
fn a_block_equal_to_dense_has_gain_one() {
    let dense = [
        losses(1e15, &[5.0, 5.1]),
        losses(1e16, &[4.2, 4.1]),
        losses(1e17, &[3.4, 3.5]),
    ];
    for equal in &dense {
        let found = gain_in_loss(&dense, equal, 0).unwrap();
        assert!((found.ratio.number() - 1.0).abs() < 1e-9, "{found:?}");
        let (low, high) = found.interval.unwrap();
        assert!(low.number() <= 1.0 && high.number() >= 1.0, "{found:?}");
    }
    let sets: Vec<Vec<ItemRow>> = [20, 40, 50]
        .map(|most| answers(|i| i * 7 % 60 < most))
        .into();
    let dense: Vec<RungItems> = sets
        .iter()
        .zip([1e15, 1e16, 1e17])
        .map(|(s, c)| rung(c, std::slice::from_ref(s)))
        .collect();
    for equal in &dense {
        let found = gain_in_accuracy(&dense, equal, 0).unwrap();
        // Identical items in every resample: equal, except in resamples where dense's rungs change order.
        assert!((found.ratio.number() - 1.0).abs() < 1e-9, "{found:?}");
        assert_eq!(found.method, "paired bootstrap over items");
        assert_eq!(found.items, 60);
    }
}

#[test]
fn a_halved_cost_is_twice_the_gain() {
    let dense = [losses(1e15, &[5.0]), losses(1e17, &[3.0])];
    let gain = |cost| {
        gain_in_loss(&dense, &losses(cost, &[4.0]), 0)
            .unwrap()
            .ratio
            .number()
    };
    assert!((gain(1e16) - 1.0).abs() < 1e-9);
    assert!((gain(5e15) - 2.0).abs() < 1e-9);
}

#[test]
fn outside_the_rungs_a_gain_is_a_bound_with_a_remark() {
    let dense = [losses(1e15, &[5.0]), losses(1e17, &[3.0])];
    let better = gain_in_loss(&dense, &losses(1e16, &[2.9]), 0).unwrap();
    assert!(matches!(better.ratio, Ratio::AtLeast(x) if (x - 10.0).abs() < 1e-9));
    assert_eq!(better.ratio.to_string(), "≥ 10");
    assert!(better.explain()[0].contains("lower bound"));
    let worse = gain_in_loss(&dense, &losses(1e16, &[5.5]), 0).unwrap();
    assert!(matches!(worse.ratio, Ratio::AtMost(x) if (x - 0.1).abs() < 1e-9));
    assert!(worse.explain()[1].contains("single seed"));
}

#[test]
fn seeds_that_scatter_widen_the_interval() {
    let ladder = |by: f64| {
        [(1e15, 5.0), (1e16, 4.0), (1e17, 3.0)].map(|(c, l)| losses(c, &[l - by, l, l + by]))
    };
    let width = |by: f64| {
        let found =
            gain_in_loss(&ladder(by), &losses(1e15, &[4.5 - by, 4.5, 4.5 + by]), 0).unwrap();
        let (low, high) = found.interval.unwrap();
        assert!(low.number() < found.ratio.number() && found.ratio.number() < high.number());
        (high.number() / low.number()).ln()
    };
    assert!(width(0.05) > 2.0 * width(0.01));
    // ln 10 of compute per nat; a mean's half-width is 4.30 s / sqrt 3 with s = 0.01, here for the block and about half a
    // rung of dense on either side.
    let expected = 10f64.ln() * 2.0 * 4.302_653 * 0.01 / 3f64.sqrt();
    assert!(
        (1.0..2.0).contains(&(width(0.01) / expected)),
        "{}",
        width(0.01) / expected
    );
}

#[test]
fn every_seed_of_every_rung_counts() {
    let dense = [losses(1e15, &[5.0, 5.1]), losses(1e17, &[3.0])];
    let found = gain_in_loss(&dense, &losses(1e16, &[4.0, 4.1]), 0).unwrap();
    assert_eq!((found.interval, found.seeds), (None, 1));
}

#[test]
fn what_cannot_be_compared_is_an_error_with_its_reason() {
    let one = [losses(1e15, &[5.0]), losses(1.001e15, &[4.0])];
    let block = losses(1e16, &[4.0]);
    assert_eq!(
        gain_in_loss(&one, &block, 0),
        Err(NoGain::TooFewRungs { found: 1 })
    );
    let broken = [losses(1e15, &[5.0]), losses(1e17, &[f64::NAN])];
    assert_eq!(gain_in_loss(&broken, &block, 0), Err(NoGain::NoScore));
    assert_eq!(
        gain_in_loss(&one, &losses(1e16, &[]), 0),
        Err(NoGain::NoScore)
    );
    let (ours, mut theirs) = ([answers(|_| true)], [answers(|_| true)]);
    for row in &mut theirs[0] {
        row.suite = "another".into();
    }
    let dense = [rung(1e15, &theirs), rung(1e16, &theirs)];
    let found = gain_in_accuracy(&dense, &rung(1e15, &ours), 0);
    assert_eq!(found, Err(NoGain::NoSharedItems));
}

#[test]
fn pairing_items_narrows_and_seeds_widen() {
    // Items differ in difficulty; the block answers those of dense's second rung correctly and a few more.
    let ease = |i: usize| i * 7 % 60;
    let level = |most: usize| answers(move |i| ease(i) < most);
    let sets = [level(10), level(30), level(50)];
    let dense: Vec<RungItems> = sets
        .iter()
        .zip([1e15, 1e16, 1e17])
        .map(|(s, c)| rung(c, std::slice::from_ref(s)))
        .collect();
    let ours = [level(32)];
    let block = rung(1e15, &ours);
    let found = gain_in_accuracy(&dense, &block, 0).unwrap();
    assert!(
        (found.ratio.number() - 10f64.powf(1.1)).abs() < 1e-6,
        "{found:?}"
    );
    let (low, high) = found.interval.unwrap();
    assert!(low.number() >= 9.9, "{found:?}");
    assert!(high.number() < 20.0, "{found:?}");
    let twice = |s: &Vec<ItemRow>, by: usize| vec![s.clone(), answers(move |i| ease(i) < by)];
    let sets = [twice(&sets[0], 6), twice(&sets[1], 26), twice(&sets[2], 46)];
    let dense: Vec<RungItems> = sets
        .iter()
        .zip([1e15, 1e16, 1e17])
        .map(|(s, c)| rung(c, s))
        .collect();
    let ours = twice(&ours[0], 28);
    let wide = gain_in_accuracy(&dense, &rung(1e15, &ours), 0).unwrap();
    assert_eq!(wide.method, "bootstrap over items, t over seeds");
    assert!(wide.interval.unwrap().1.number() > high.number());
}

#[test]
fn runs_become_losses_on_an_axis() {
    let (a, b) = (finished_run("dense", 0, 3.0), finished_run("dense", 1, 3.2));
    let on = |axis| RungLosses::of(&[&a, &b], axis);
    assert_eq!(on(CostAxis::Flops), losses(1.001e15, &[3.0, 3.2]));
    assert_eq!(on(CostAxis::Params(Reading::Total)).cost, 9e6);
}

#[test]
fn tokens_are_interpolated_between_measured_losses() {
    let step = |tokens: u64, val_loss| StepRow {
        run: "r".into(),
        step: tokens,
        tokens,
        train_flops: 0.0,
        wall_s: 0.0,
        loss: 9.0,
        val_loss,
        learning_rate: 0.0,
        grad_norm: 0.0,
        table_grad_norm: 0.0,
        auxiliary_loss: 0.0,
        tokens_per_s: 0.0,
    };
    let steps = [
        step(100, Some(5.0)),
        step(500, None),
        step(1000, Some(4.0)),
        step(10_000, Some(4.2)),
        step(100_000, Some(3.0)),
    ];
    let to = |loss| tokens_to_loss(&steps, loss);
    assert!(matches!(to(4.5), TokensToScore::At(t) if (t - 100_000f64.sqrt()).abs() < 1e-6));
    // The first crossing counts, although the loss rose again later.
    assert!(matches!(to(4.0), TokensToScore::At(t) if (t - 1000.0).abs() < 1e-6));
    assert_eq!(to(5.0), TokensToScore::Before(100.0));
    assert_eq!(
        to(2.0),
        TokensToScore::Never {
            best: 3.0,
            tokens: 1e5
        }
    );
    assert_eq!(
        tokens_to_loss(&[step(5, None)], 1.0),
        TokensToScore::Unmeasured
    );
    let accuracy = [(1e6, 0.2), (1e7, 0.4)];
    assert!(matches!(
        tokens_to_score(&accuracy, 0.3, Better::Higher),
        TokensToScore::At(t) if (t - 1e13f64.sqrt()).abs() < 1.0
    ));
}
