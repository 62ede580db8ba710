//! Matched comparisons: equal FLOPs, seeds in common, and each block at its best size of a budget.

use crate::RunRow;

use super::rows::{changed, finding, frames, ladder, run, seeded};
use crate::claims::Verdict;
use crate::study::Study;

const AHEAD: &str = "more facts than dense";

#[test]
fn one_run_each_gives_the_weaker_verdict_and_two_seeds_the_full_one() {
    let of = |seeds: u64, right| {
        let runs = (0..seeds).flat_map(|seed| {
            let dense = (seeded(1, "dense", seed), 60 + seed as usize);
            [dense, (seeded(1, "memory+", seed), right + seed as usize)]
        });
        finding(&frames(runs.collect(), vec![]), AHEAD).outcome
    };
    assert_eq!(of(1, 150), Verdict::SupportedOnce);
    assert_eq!(of(2, 150), Verdict::Supported);
    assert_eq!(of(1, 10), Verdict::ContradictedOnce);
    assert_eq!(of(2, 10), Verdict::Contradicted);
}

#[test]
fn unequal_training_flops_are_not_tested() {
    let spent = |factor: f64| {
        let all = changed(&ladder(&[("memory+", 150)]), |run| {
            if run.block == "memory+" {
                run.train_flops *= factor;
            }
        });
        finding(&all, AHEAD)
    };
    assert_eq!(spent(1.019).outcome, Verdict::SupportedOnce);
    for factor in [1.03, 0.97, f64::NAN] {
        let other = spent(factor);
        assert_eq!(other.outcome, Verdict::NotTested);
        assert!(other.evidence.contains("not equal compute"), "{other:?}");
    }
}

#[test]
fn the_seeds_that_count_are_those_in_common() {
    let runs = vec![
        (seeded(1, "dense", 1), 60),
        (seeded(1, "dense", 2), 60),
        (seeded(1, "memory+", 0), 150),
        (seeded(1, "memory+", 1), 150),
    ];
    let found = finding(&frames(runs, vec![]), AHEAD);
    assert!(found.evidence.contains("items, one seed"), "{found:?}");
    assert_eq!(found.outcome, Verdict::SupportedOnce);
}

/// A run of a named width with the budget of the middle rung.
fn sized(size: &str, width: u64, block: &str, loss: f64) -> RunRow {
    RunRow {
        run: format!("{block}-{size}"),
        size: size.into(),
        d_model: width,
        params_active: 1000 * width,
        val_loss: loss,
        ..run(1, block)
    }
}

#[test]
fn of_sizes_with_one_budget_each_block_is_taken_at_its_best() {
    // By label d96 comes last; by parameters d128 does.
    let runs = vec![
        (sized("d128", 128, "dense", 2.5), 20),
        (sized("d64", 64, "dense", 2.0), 100),
        (sized("d96", 96, "dense", 2.2), 60),
        (sized("d128", 128, "memory+", 2.1), 40),
        (sized("d64", 64, "memory+", 1.9), 90),
        (sized("d96", 96, "memory+", 1.7), 150),
    ];
    let frames = frames(runs, vec![]);
    let study = Study::new(&frames);
    let labels: Vec<&str> = study.rungs.iter().map(|rung| rung.label.as_str()).collect();
    assert_eq!(labels, ["d64", "d96", "d128"]);
    assert_eq!(study.budgets().len(), 1);
    let found = finding(&frames, AHEAD);
    assert!(found.evidence.contains("+25.0 points"), "{found:?}");
    for words in ["of 3 sizes", "memory+ at size d96", "dense at size d64"] {
        assert!(found.scale.contains(words), "{words}: {found:?}");
    }
}

#[test]
fn one_case_does_not_contradict_many() {
    let found = finding(&ladder(&[("memory+", 100)]), "four times the compute");
    assert_eq!(found.outcome, Verdict::NotTested);
    assert!(
        found.evidence.contains("does not contradict many"),
        "{found:?}"
    );
}

#[test]
fn all_variants_meet_the_mixture_at_one_budget() {
    let at = |size, blocks: &[&str], right| -> Vec<(RunRow, usize)> {
        blocks
            .iter()
            .map(|block| (run(size, block), right))
            .collect()
    };
    let mut runs = at(1, &["peer", "memory", "memory+"], 120);
    runs.extend(at(1, &["moe"], 60));
    // At the larger budget memory did not finish, and the others are behind.
    runs.extend(at(2, &["peer", "memory+"], 20));
    runs.extend(at(2, &["moe"], 100));
    let found = finding(&frames(runs, vec![]), "All memory variants");
    assert_eq!(found.outcome, Verdict::SupportedOnce, "{found:?}");
    assert!(found.scale.contains("size m"), "{found:?}");
}
