//! Each kind of rule with rows that support it, rows that contradict it and rows that leave it undecided.

mod layers;
mod matched;
pub mod rows;

use crate::{Frames, RunRow};

use super::*;
use crate::study::Study;
use crate::study::scores::Scores;
use rows::{Right, changed, finding, frames, ladder, run};

#[test]
fn more_facts_than_dense_is_decided_by_the_paired_interval() {
    let of = |right| finding(&ladder(&[("memory+", right)]), "more facts than dense");
    assert_eq!(of(130).outcome, Verdict::SupportedOnce);
    assert_eq!(of(70).outcome, Verdict::ContradictedOnce);
    let level = of(101);
    assert_eq!(level.outcome, Verdict::NotTested);
    assert!(
        level
            .evidence
            .contains("Undecided: the interval includes 0"),
        "{level:?}"
    );
    let one = of(130);
    assert!(
        one.evidence.contains("n 200 items") && one.evidence.contains("one seed"),
        "{one:?}"
    );
    assert!(
        one.scale.contains("size m") && one.scale.contains("memory+-1"),
        "{one:?}"
    );
}

#[test]
fn without_the_block_or_the_suite_nothing_is_tested() {
    let absent = finding(&ladder(&[]), "more facts than dense");
    assert_eq!(absent.outcome, Verdict::NotTested);
    assert!(absent.evidence.contains("did not both finish"));
    let bare = ladder(&[("memory+", 130)]);
    let bare = Frames::new(bare.runs().to_vec(), vec![], vec![], vec![], vec![]);
    assert!(
        finding(&bare, "more facts than dense")
            .evidence
            .contains("no suite of recall")
    );
    // Questions were not evaluated either, which is a message of its own.
    let recall_only = ladder(&[("memory+", 130)]);
    let study = Study::new(&recall_only);
    let all = claims(&study, &Scores::new(&study).suites);
    assert_eq!(all[0].1[0].finding.outcome, Verdict::NotTested);
}

/// A label decides nothing: the rows are those that support the claim but for the configuration of the block.
#[test]
fn a_peer_block_labelled_memory_plus_is_not_judged_as_memory_plus() {
    let rows = ladder(&[("memory+", 130)]);
    let headline = "more facts than dense";
    assert_eq!(finding(&rows, headline).outcome, Verdict::SupportedOnce);
    let (kind, options) = crate::test_rows::blocks_of("peer");
    let mislabelled = changed(&rows, |run| {
        if run.block == "memory+" {
            (run.block_kind, run.block_options) = (kind.into(), options.into());
        }
    });
    assert_eq!(finding(&mislabelled, headline).outcome, Verdict::NotTested);
    // Under another label Memory+ is still Memory+.
    let renamed = changed(&rows, |run| {
        if run.block == "memory+" {
            run.block = "ours".into();
        }
    });
    assert_eq!(finding(&renamed, headline).outcome, Verdict::SupportedOnce);
}

#[test]
fn runs_with_other_training_settings_decide_nothing() {
    let all = ladder(&[("memory+", 130)]);
    let mut runs = all.runs().to_vec();
    for run in runs.iter_mut().filter(|run| run.block == "memory+") {
        run.config = run.config.replace("rate = 1", "rate = 2");
    }
    let other = Frames::new(
        runs,
        vec![],
        all.scores().to_vec(),
        all.items().to_vec(),
        vec![],
    );
    assert_eq!(
        finding(&other, "more facts than dense").outcome,
        Verdict::NotTested
    );
}

#[test]
fn compute_is_judged_by_the_end_of_the_gains_interval() {
    // Dense reaches 140 at four times the compute: memory+ with 139 has almost that gain, with 100 a gain of one.
    let of = |right| finding(&ladder(&[("memory+", right)]), "more than twice");
    assert_eq!(of(136).outcome, Verdict::SupportedOnce, "{:?}", of(136));
    assert_eq!(of(100).outcome, Verdict::ContradictedOnce, "{:?}", of(100));
    assert_eq!(of(118).outcome, Verdict::NotTested, "{:?}", of(118));
    let single = frames(
        vec![(run(1, "dense"), 100), (run(1, "memory+"), 150)],
        vec![],
    );
    let none = finding(&single, "more than twice");
    assert!(
        none.outcome == Verdict::NotTested && none.evidence.contains("not trained with 2 times"),
        "{none:?}"
    );
}

#[test]
fn twice_the_parameters_needs_equal_tokens() {
    let of = |change: fn(&mut RunRow)| {
        finding(
            &changed(&ladder(&[("memory", 120)]), change),
            "twice its parameters",
        )
    };
    let uneven = of(|run| run.tokens = 1_000_000 + run.d_model * 10_000);
    assert!(
        uneven.evidence.contains("different numbers of tokens"),
        "{uneven:?}"
    );
    assert!(!of(|_| {}).evidence.contains("different numbers of tokens"));
    let longer = of(|run| {
        if run.block == "memory" {
            run.tokens = 1_060_000;
        }
    });
    assert!(
        longer
            .evidence
            .contains("memory and dense were trained on different"),
        "{longer:?}"
    );
    // As good as dense of the same parameters: not twice.
    assert_eq!(
        finding(&ladder(&[("memory", 90)]), "twice its parameters").outcome,
        Verdict::ContradictedOnce
    );
}

#[test]
fn a_rise_of_all_of_it_is_twice_denses_accuracy() {
    let at = |dense: Right, memory: Right| {
        let runs = vec![(run(1, "dense"), dense), (run(1, "memory+"), memory)];
        finding(&frames(runs, vec![]), "100 %").outcome
    };
    assert_eq!(at(30, 150), Verdict::SupportedOnce);
    assert_eq!(at(80, 110), Verdict::ContradictedOnce);
    assert_eq!(at(110, 130), Verdict::NotTested);
    assert_eq!(at(60, 122), Verdict::NotTested);
    let runs = vec![(run(1, "dense"), 0), (run(1, "memory+"), 100)];
    let none = finding(&frames(runs, vec![]), "100 %");
    assert_eq!(none.outcome, Verdict::NotTested);
    assert!(!none.evidence.contains("a rise of"), "{none:?}");
}

#[test]
fn matched_in_parameters_is_within_a_quarter() {
    let of = |total: u64| {
        let mut mixture = run(1, "moe");
        mixture.params_total = total;
        let runs = vec![(mixture, 60), (run(1, "memory+"), 130)];
        finding(&frames(runs, vec![]), "equal compute and parameters")
    };
    assert_eq!(of(2_000_000).outcome, Verdict::SupportedOnce);
    let other = of(4_000_000);
    assert_eq!(other.outcome, Verdict::NotTested);
    assert!(other.evidence.contains("0.50 times"), "{other:?}");
}

#[test]
fn all_three_have_to_beat_the_mixture() {
    let of = |peer, memory, plus| {
        finding(
            &ladder(&[
                ("moe", 90),
                ("peer", peer),
                ("memory", memory),
                ("memory+", plus),
            ]),
            "All memory variants",
        )
        .outcome
    };
    assert_eq!(of(120, 120, 120), Verdict::SupportedOnce);
    assert_eq!(of(120, 91, 120), Verdict::NotTested);
    assert_eq!(of(120, 60, 120), Verdict::ContradictedOnce);
    assert_eq!(
        finding(
            &ladder(&[("moe", 90), ("peer", 120)]),
            "All memory variants"
        )
        .outcome,
        Verdict::NotTested
    );
}

#[test]
fn equality_requires_a_narrow_interval() {
    let of = |peer, memory| {
        finding(
            &ladder(&[("peer", peer), ("memory", memory)]),
            "about as good as Memory",
        )
        .outcome
    };
    assert_eq!(of(100, 101), Verdict::SupportedOnce);
    assert_eq!(of(100, 108), Verdict::NotTested);
    assert_eq!(of(100, 150), Verdict::ContradictedOnce);
    // At 0 % and at 100 % equality is not informative.
    assert_eq!(of(0, 0), Verdict::NotTested);
    assert_eq!(of(200, 200), Verdict::NotTested);
    assert_eq!(of(200, 199), Verdict::NotTested);
    // The same answers to 200 items bound the difference to two points.
    assert_eq!(of(100, 100), Verdict::SupportedOnce);
    let mut guessed = ladder(&[("peer", 100), ("memory", 101)]).scores().to_vec();
    let all = ladder(&[("peer", 100), ("memory", 101)]);
    guessed
        .iter_mut()
        .for_each(|score| score.baseline = Some(0.48));
    let guessed = Frames::new(
        all.runs().to_vec(),
        vec![],
        guessed,
        all.items().to_vec(),
        vec![],
    );
    let found = finding(&guessed, "about as good as Memory");
    assert_eq!(found.outcome, Verdict::NotTested);
    assert!(found.evidence.contains("majority guess"), "{found:?}");
}

#[test]
fn models_that_were_not_trained_are_not_tested_and_every_verdict_names_this_scale() {
    let frames = ladder(&[("memory+", 190)]);
    for words in [
        "128B memory parameters, approaches",
        "8B decoder",
        "1T tokens.",
    ] {
        let found = finding(&frames, words);
        assert_eq!(found.outcome, Verdict::NotTested, "{words}");
        assert!(found.evidence.contains("the largest run here"), "{found:?}");
    }
    for outcome in Verdict::ALL {
        assert!(outcome.words().ends_with("at this scale"));
    }
}
