//! Pooled accuracies of runs that were not all evaluated on the same suites.

use crate::Frames;

use super::*;
use crate::claims::tests::rows::{frames, run, seeded};

/// Dense and memory+ with recall of people, and of places where `evaluated`.
fn places(evaluated: impl Fn(&RunRow) -> bool) -> Frames {
    let runs = ["dense", "memory+"].map(|block| [seeded(1, block, 0), seeded(1, block, 1)]);
    let people = frames(
        runs.into_iter().flatten().map(|run| (run, 100)).collect(),
        vec![],
    );
    let (mut scores, mut items) = (people.scores().to_vec(), people.items().to_vec());
    for run in people.runs().iter().filter(|run| evaluated(run)) {
        let own = |name: &str| name == run.run;
        let places = people.scores().iter().filter(|row| own(&row.run)).cloned();
        scores.extend(places.map(|row| ScoreRow {
            suite: "places recall".into(),
            ..row
        }));
        let places = people.items().iter().filter(|row| own(&row.run)).cloned();
        items.extend(places.map(|row| ItemRow {
            suite: "places recall".into(),
            ..row
        }));
    }
    Frames::new(people.runs().to_vec(), vec![], scores, items, vec![])
}

#[test]
fn several_suites_are_pooled_where_every_run_was_evaluated_on_each() {
    let pooled = |frames: &Frames| {
        let study = Study::new(frames);
        let suites = suites(&study);
        let suites: Vec<&Suite> = suites.iter().collect();
        assert_eq!(suites.len(), 2);
        let memory = ("memory+", &study.rungs[0]);
        let alone = block_score(&study, &suites[..1], memory.0, memory.1);
        assert!(alone.is_ok_and(|score| score.is_some()));
        let gap = accuracy_difference(&study, &suites, memory, ("dense", memory.1));
        (block_score(&study, &suites, memory.0, memory.1), gap)
    };
    let (all, gap) = pooled(&places(|_| true));
    assert_eq!(
        all.map(|score| score.map(|score| score.accuracy.n)),
        Ok(Some(400))
    );
    assert_eq!(gap.map(|gap| (gap.seeds, gap.interval.n)), Ok((2, 400)));
    let (part, gap) = pooled(&places(|run| run.run != "memory+-1-1"));
    let words = part.unwrap_err().to_string();
    assert_eq!(words, "run memory+-1-1 has no score for places recall");
    assert_eq!(gap.unwrap_err(), words);
}

#[test]
fn the_majority_guess_is_weighted_by_items() {
    let frames = places(|_| true);
    let study = Study::new(&frames);
    let suite = |name, baseline| Suite {
        name,
        metric: "exact_match",
        baseline,
        is_published: false,
    };
    let known = [
        suite("people recall", Some(0.2)),
        suite("places recall", None),
    ];
    let known: Vec<&Suite> = known.iter().collect();
    let evaluated = study.run("dense-1-0").unwrap();
    assert!((guess_accuracy(&study, &known, evaluated) - 0.1).abs() < 1e-12);
    assert_eq!(guess_accuracy(&study, &known, &run(2, "dense")), 0.0);
}
