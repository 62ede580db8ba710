//! Summaries of made-up runs: the budget, the blocks compared, and the outcome of each measure.

use super::*;
use crate::claims::tests::rows::{changed, frames, ladder, run, seeded};
use crate::study::scores::Scores;
use crate::{Frames, RunRow};

/// What `check` returns for the summary of these frames.
fn summarized<T>(frames: &Frames, check: impl FnOnce(Option<Summary>) -> T) -> T {
    let study = Study::new(frames);
    let scores = Scores::new(&study);
    check(Summary::new(&study, &scores.suites))
}

/// The ranking by recall of these frames.
fn recall<T>(frames: &Frames, check: impl FnOnce(Ranking) -> T) -> T {
    summarized(frames, |summary| {
        check(summary.unwrap().recall.unwrap().ranking.unwrap())
    })
}

#[test]
fn the_budget_is_the_largest_with_dense_and_another_block() {
    let labels = |frames: &Frames| {
        summarized(frames, |summary| {
            let rungs = summary.unwrap().rungs.into_iter();
            rungs.map(|rung| rung.label.clone()).collect::<Vec<_>>()
        })
    };
    // Dense finished at the larger size too, but no other block did.
    assert_eq!(labels(&ladder(&[("memory", 80)])), ["m"]);
    assert_eq!(labels(&ladder(&[])), ["l"]);
    let failed = changed(&ladder(&[]), |run| run.status = "failed".into());
    summarized(&failed, |summary| assert_eq!(summary, None));
}

#[test]
fn a_block_is_ahead_only_where_its_interval_excludes_zero() {
    let best = |frames: &Frames| {
        recall(frames, |ranking| match ranking {
            Ranking::BlockBest {
                best,
                dense,
                significance,
                candidates,
            } => (
                best.block.to_owned(),
                best.value,
                dense,
                significance,
                candidates,
            ),
            other => panic!("{other:?}"),
        })
    };
    let (block, value, dense, significance, candidates) =
        best(&ladder(&[("memory", 103), ("memory+", 130)]));
    assert_eq!(
        (block.as_str(), value, dense, candidates),
        ("memory+", 0.65, 0.5, 2)
    );
    let Significance::ExcludesZero(difference) = significance else {
        panic!("{significance:?}")
    };
    assert!((difference.interval.value - 0.15).abs() < 1e-12 && difference.seeds == 1);
    let (.., significance, _) = best(&ladder(&[("memory", 103)]));
    assert!(
        matches!(significance, Significance::IncludesZero(_)),
        "{significance:?}"
    );
    let all = ladder(&[("memory", 130)]);
    let scores_alone = Frames::new(
        all.runs().to_vec(),
        vec![],
        all.scores().to_vec(),
        vec![],
        vec![],
    );
    assert_eq!(best(&scores_alone).3, Significance::NoInterval);
}

#[test]
fn blocks_ahead_of_dense_are_listed_from_the_highest_accuracy() {
    let all = ladder(&[
        ("moe", 102),
        ("memory", 125),
        ("memory+", 130),
        ("peer", 70),
    ]);
    summarized(&all, |summary| {
        assert_eq!(
            summary.unwrap().recall.unwrap().ahead,
            ["memory+", "memory"]
        );
    });
}

#[test]
fn without_another_block_or_without_dense_nothing_is_compared() {
    recall(&ladder(&[]), |ranking| {
        assert_eq!(ranking, Ranking::DenseAlone { dense: 0.7 });
    });
    // Of equal accuracies dense comes first.
    recall(&ladder(&[("memory", 100)]), |ranking| {
        assert_eq!(ranking, Ranking::DenseBest { dense: 0.5 });
    });
    let others = frames(vec![(run(1, "moe"), 80), (run(1, "peer"), 90)], vec![]);
    recall(&others, |ranking| {
        let best = BlockValue {
            block: "peer",
            value: 0.45,
        };
        assert_eq!(ranking, Ranking::WithoutDense { best });
    });
}

#[test]
fn runs_on_other_data_are_not_compared() {
    let all = changed(&ladder(&[("moe", 120), ("memory", 180)]), |run| {
        if run.block == "memory" {
            run.data_fingerprint = "other".into();
        }
    });
    summarized(&all, |summary| {
        let summary = summary.unwrap();
        assert_eq!(summary.not_comparable, ["memory"]);
        let recall = summary.recall.unwrap();
        assert!(
            matches!(recall.ranking, Some(Ranking::BlockBest { best, .. }) if best.block == "moe")
        );
    });
}

#[test]
fn suites_that_were_not_evaluated_have_no_summary() {
    let all = ladder(&[("memory", 130)]);
    summarized(&all, |summary| assert_eq!(summary.unwrap().questions, None));
}

#[test]
fn losses_are_paired_by_seed() {
    let at = |block, seed, loss: f64| {
        let run = RunRow {
            val_loss: loss,
            ..seeded(1, block, seed)
        };
        (run, 100)
    };
    let loss = |runs: Vec<(RunRow, usize)>| {
        summarized(&frames(runs, vec![]), |summary| {
            match summary.unwrap().loss {
                Some(Ranking::BlockBest { significance, .. }) => significance,
                other => panic!("{other:?}"),
            }
        })
    };
    // Seeds differ by 0.3, blocks by 0.1 on each.
    let two = [
        at("dense", 0, 2.0),
        at("dense", 1, 2.3),
        at("memory", 0, 1.9),
        at("memory", 1, 2.2),
    ];
    let Significance::ExcludesZero(difference) = loss(two.to_vec()) else {
        panic!("the difference is the same for both seeds")
    };
    assert!((difference.interval.value + 0.1).abs() < 1e-12 && difference.seeds == 2);
    let scattered = [
        at("dense", 0, 2.0),
        at("dense", 1, 2.3),
        at("memory", 0, 1.9),
        at("memory", 1, 2.29),
    ];
    assert!(matches!(
        loss(scattered.to_vec()),
        Significance::IncludesZero(_)
    ));
    assert_eq!(
        loss(vec![at("dense", 0, 2.0), at("memory", 0, 1.9)]),
        Significance::NoInterval
    );
    assert_eq!(
        loss(vec![at("dense", 0, 2.0), at("memory", 1, 1.9)]),
        Significance::NoInterval
    );
}

#[test]
fn without_a_finite_loss_there_is_no_ranking_by_loss() {
    let all = changed(&ladder(&[("memory", 130)]), |run| run.val_loss = f64::NAN);
    summarized(&all, |summary| assert_eq!(summary.unwrap().loss, None));
}
