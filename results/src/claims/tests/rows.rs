//! Made-up rows, and their finding.

use crate::statistics::wilson;
use crate::test_rows::finished_run;
use crate::{Frames, ItemRow, RunRow, ScoreRow, UsageRow, WHOLE_SUITE};

use crate::claims::{Finding, claims};
use crate::study::Study;
use crate::study::scores::Scores;

/// Number of correct items, of 200 about 200 subjects.
pub type Right = usize;

const ITEMS: usize = 200;

/// A run of a size, with the target of that size; its items come from [`frames`].
pub fn run(size: usize, block: &str) -> RunRow {
    let target = 1e12 * 4f64.powi(size as i32);
    RunRow {
        run: format!("{block}-{size}"),
        sweep: "s".into(),
        size: ["s", "m", "l"][size].into(),
        matching: "flops".into(),
        target_flops: target,
        train_flops: target,
        tokens: 1_000_000,
        d_model: 64 << size,
        n_layers: 4,
        params_dense: 1_000_000 << size,
        params_active: 1_000_000 << size,
        params_total: 1_000_000 << size,
        numeric_format: Default::default(),
        flop_convention: "c".into(),
        config: "[training]\nrate = 1\n\n[model]\ngate = true\n".into(),
        data_fingerprint: "d".into(),
        tokenizer_fingerprint: "t".into(),
        device: "flex".into(),
        ..finished_run(block, 0, 2.0 - 0.1 * size as f64)
    }
}

/// Runs with their items of a recall suite: the first [`Right`] items of each run are correct.
pub fn frames(runs: Vec<(RunRow, Right)>, usage: Vec<UsageRow>) -> Frames {
    let (mut scores, mut items) = (Vec::new(), Vec::new());
    for (run, right) in &runs {
        let interval = wilson(*right as u64, ITEMS as u64);
        scores.push(ScoreRow {
            run: run.run.clone(),
            suite: "people recall".into(),
            task: WHOLE_SUITE.into(),
            metric: "exact_match".into(),
            status: "scored".into(),
            reason: String::new(),
            value: interval.value,
            low: interval.low,
            high: interval.high,
            n: ITEMS as u64,
            baseline: None,
            interval: "wilson".into(),
        });
        items.extend((0..ITEMS).map(|i| ItemRow {
            run: run.run.clone(),
            suite: "people recall".into(),
            task: "t".into(),
            item: format!("fact/subject {i:03}"),
            correct: i < *right,
            answer_tokens: 2,
            answer_nll_bits: 1.0,
            end_nll_bits: 0.1,
            expected: String::new(),
            given: String::new(),
            detail: String::new(),
        }));
    }
    let runs = runs.into_iter().map(|(run, _)| run).collect();
    Frames::new(runs, vec![], scores, items, usage)
}

/// The finding about recall whose headline has `words`.
pub fn finding(frames: &Frames, words: &str) -> Finding {
    let study = Study::new(frames);
    let scores = Scores::new(&study);
    let all = claims(&study, &scores.suites);
    // Recall comes after questions, scale last.
    let found = all[1..]
        .iter()
        .flat_map(|(_, claims)| claims)
        .find(|claim| claim.headline.contains(words));
    found.unwrap_or_else(|| panic!("{words}")).finding.clone()
}

/// Dense with 60, 100 and 140 right on three rungs, and `others` on the middle one.
pub fn ladder(others: &[(&str, Right)]) -> Frames {
    let dense = [60, 100, 140].into_iter().enumerate();
    let mut runs: Vec<(RunRow, Right)> = dense
        .map(|(size, right)| (run(size, "dense"), right))
        .collect();
    runs.extend(others.iter().map(|(block, right)| (run(1, block), *right)));
    frames(runs, vec![])
}

/// The same with every run changed.
pub fn changed(all: &Frames, change: impl FnMut(&mut RunRow)) -> Frames {
    let mut runs = all.runs().to_vec();
    runs.iter_mut().for_each(change);
    let (scores, items) = (all.scores().to_vec(), all.items().to_vec());
    Frames::new(runs, vec![], scores, items, all.usage().to_vec())
}

/// A run of another seed.
pub fn seeded(size: usize, block: &str, seed: u64) -> RunRow {
    RunRow {
        run: format!("{block}-{size}-{seed}"),
        seed,
        ..run(size, block)
    }
}
