//! Comparisons of made-up runs.

use super::*;
use crate::statistics::wilson;
use crate::test_rows::finished_run;
use crate::{ItemRow, ScoreRow, WHOLE_SUITE};

fn run(block: &str, seed: u64, target: f64) -> RunRow {
    let val_loss = if block == "dense" { 3.0 } else { 2.5 } + seed as f64 / 10.0;
    RunRow {
        run: format!("{block}{seed}{target}"),
        sweep: "s".into(),
        size: "l".into(),
        matching: "flops".into(),
        target_flops: target,
        train_flops: target * 1.01,
        numeric_format: Default::default(),
        flop_convention: "two a multiply-add".into(),
        config: format!(
            "block = \"{block}\"\nseed = {seed}\n\n[training]\nrate = 1\n\n[model]\nx = \"{block}\"\n"
        ),
        data_fingerprint: "data".into(),
        tokenizer_fingerprint: "tokenizer".into(),
        device: "flex".into(),
        threads: 2,
        instruction_set: String::new(),
        processor: String::new(),
        lock_file: String::new(),
        weights_hash: String::new(),
        resumes: 0,
        skipped_steps: 0,
        ..finished_run(block, seed, val_loss)
    }
}

/// Answers to one suite, the first `right` of `n` right, and their score.
fn answered(run: &RunRow, right: u64, n: u64) -> (ScoreRow, Vec<ItemRow>) {
    let interval = wilson(right, n);
    let score = ScoreRow {
        run: run.run.clone(),
        suite: "facts".into(),
        task: WHOLE_SUITE.into(),
        metric: "exact_match".into(),
        status: "scored".into(),
        reason: String::new(),
        value: interval.value,
        low: interval.low,
        high: interval.high,
        n,
        baseline: None,
        interval: "wilson".into(),
    };
    let item = |i: u64| ItemRow {
        run: run.run.clone(),
        suite: "facts".into(),
        task: "t".into(),
        item: format!("{i:03}"),
        correct: i < right,
        answer_tokens: 2,
        answer_nll_bits: 1.0,
        end_nll_bits: 0.1,
        expected: "e".into(),
        given: String::new(),
        detail: String::new(),
    };
    (score, (0..n).map(item).collect())
}

fn frames(
    runs: &[RunRow],
    asked: impl Fn(&RunRow) -> (ScoreRow, Vec<ItemRow>),
) -> (Frames, Vec<String>) {
    let (scores, items): (Vec<_>, Vec<_>) = runs
        .iter()
        .filter(|run| run.status == "finished")
        .map(asked)
        .unzip();
    let order = runs.iter().map(|run| run.run.clone()).collect();
    let frames = Frames::new(runs.to_vec(), vec![], scores, items.concat(), vec![]);
    (frames, order)
}

fn usual(run: &RunRow) -> (ScoreRow, Vec<ItemRow>) {
    answered(run, if run.block == "dense" { 20 } else { 80 }, 100)
}

fn compare(runs: &[RunRow]) -> Result<Comparison, Mismatch> {
    let (frames, order) = frames(runs, usual);
    Comparison::new(&frames, &order)
}

fn row<'a>(
    group: &'a Group,
    kind: QuantityKind,
    metric: &str,
) -> &'a [Option<crate::statistics::Interval>] {
    let found = group
        .quantities
        .iter()
        .find(|q| q.kind == kind && q.metric == metric);
    &found.unwrap_or_else(|| panic!("{metric}")).values
}

#[test]
fn models_are_in_the_order_requested_and_compared_with_the_first() {
    let found = compare(&[run("memory", 0, 1e9), run("dense", 0, 1e9)]).unwrap();
    let [group] = found.groups.as_slice() else {
        panic!("{found:?}")
    };
    let labels: Vec<&str> = group
        .models
        .iter()
        .map(|model| model.label.as_str())
        .collect();
    assert_eq!(labels, ["l/memory", "l/dense"]);
    let gap = row(group, QuantityKind::Difference, "facts exact_match");
    assert_eq!(gap[0], None);
    let gap = gap[1].unwrap();
    assert!((gap.value + 0.6).abs() < 1e-12 && gap.excludes(0.0) && gap.n == 100);
    let accuracy = row(group, QuantityKind::Score, "facts exact_match")[0].unwrap();
    assert_eq!((accuracy.value, accuracy.n), (0.8, 100));
    assert!(accuracy.low < 0.8 && 0.8 < accuracy.high);
    let off = row(group, QuantityKind::Matching, "off target")[0].unwrap();
    assert!((off.value - 0.01).abs() < 1e-9 && !off.is_bounded());
}

#[test]
fn seeds_of_one_configuration_are_one_model() {
    let runs: Vec<RunRow> = [0, 1]
        .iter()
        .flat_map(|&seed| [run("dense", seed, 1e9), run("memory", seed, 1e9)])
        .collect();
    let found = compare(&runs).unwrap();
    let group = &found.groups[0];
    assert_eq!(group.models.len(), 2);
    assert_eq!(group.models[1].run_ids().len(), 2);
    let loss = row(group, QuantityKind::Difference, "validation loss")[1].unwrap();
    assert!((loss.value + 0.5).abs() < 1e-12 && loss.n == 2, "{loss:?}");
    assert_eq!(
        row(group, QuantityKind::Score, "facts exact_match")[1]
            .unwrap()
            .method,
        "t over seeds and items"
    );
    assert!(group.warnings.is_empty(), "{:?}", group.warnings);
}

#[test]
fn seeds_that_agree_in_every_item_have_wilsons_interval() {
    let runs: Vec<RunRow> = (0..3).map(|seed| run("dense", seed, 1e9)).collect();
    let (frames, order) = frames(&runs, |run| answered(run, 0, 64));
    let found = Comparison::new(&frames, &order).unwrap();
    let none = row(&found.groups[0], QuantityKind::Score, "facts exact_match")[0].unwrap();
    assert_eq!((none.value, none.low, none.method), (0.0, 0.0, "wilson"));
    assert!((none.high - wilson(0, 64).high).abs() < 1e-12, "{none:?}");
}

#[test]
fn another_budget_is_another_group_without_a_difference_between_them() {
    let found = compare(&[run("memory", 0, 2e9), run("dense", 0, 1e9)]).unwrap();
    let held: Vec<&str> = found
        .groups
        .iter()
        .map(|group| group.held.as_str())
        .collect();
    assert_eq!(held, ["1.000e9 training FLOPs", "2.000e9 training FLOPs"]);
    let differences = |group: &Group| {
        group
            .quantities
            .iter()
            .any(|q| q.kind == QuantityKind::Difference)
    };
    assert!(!found.groups.iter().any(differences));
}

/// The error where `change` was done to the second run.
fn rejection(change: impl Fn(&mut RunRow)) -> String {
    let mut other = run("memory", 0, 1e9);
    change(&mut other);
    compare(&[run("dense", 0, 1e9), other])
        .unwrap_err()
        .to_string()
}

#[test]
fn numbers_that_are_not_comparable_are_an_error_that_names_the_field() {
    assert_eq!(
        rejection(|run| run.flop_convention = "one".into()),
        "FLOP convention differs: `two a multiply-add` in s:l/dense/0 (dense01000000000), `one` in s:l/memory/0 \
            (memory01000000000)"
    );
    assert!(
        rejection(|run| run.data_fingerprint = "x".into())
            .starts_with("data fingerprint differs: `data` in")
    );
    assert!(
        rejection(|run| run.tokenizer_fingerprint = "x".into())
            .starts_with("tokenizer fingerprint differs")
    );
}

#[test]
fn other_items_are_an_error_and_absent_ones_are_not() {
    let runs = [run("dense", 0, 1e9), run("memory", 0, 1e9)];
    let of = |change: fn(&mut Vec<ItemRow>)| {
        let (frames, order) = frames(&runs, |run| {
            let (score, mut items) = usual(run);
            if run.block == "memory" {
                change(&mut items);
            }
            (score, items)
        });
        Comparison::new(&frames, &order)
    };
    for change in [
        |items: &mut Vec<ItemRow>| items[3].expected = "other".into(),
        |items: &mut Vec<ItemRow>| items[3].item = "other".into(),
        |items: &mut Vec<ItemRow>| drop(items.pop()),
    ] {
        let error = of(change).unwrap_err();
        assert_eq!(error.field, "task fingerprint of facts");
    }
    let other_answers = of(|items| items[3].given = "other".into());
    let none = of(Vec::clear).unwrap();
    assert!(other_answers.is_ok());
    assert_eq!(
        row(
            &none.groups[0],
            QuantityKind::Difference,
            "facts exact_match"
        )[1],
        None
    );
}

#[test]
fn other_settings_are_warnings_and_failed_runs_are_left_out_with_their_reason() {
    let mut other = run("memory", 0, 1e9);
    other.config = other.config.replace("rate = 1", "rate = 2");
    other.threads = 1;
    let mut failed = run("peer", 0, 1e9);
    failed.status = "failed".into();
    failed.reason = "diverged".into();
    let found = compare(&[run("dense", 0, 1e9), other, failed]).unwrap();
    let warnings = &found.groups[0].warnings;
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].starts_with("l/memory had other training settings than l/dense"));
    assert_eq!(
        found.left_out,
        ["l peer seed 0 (peer01000000000): diverged"]
    );
}

#[test]
fn models_of_one_size_and_block_and_other_configurations_have_different_labels() {
    let mut other = run("dense", 0, 1e9);
    other.run = "abcdefgh".into();
    other.config.push_str("y = 2\n");
    let found = compare(&[run("dense", 0, 1e9), other]).unwrap();
    let labels: Vec<&str> = found.groups[0]
        .models
        .iter()
        .map(|model| model.label.as_str())
        .collect();
    assert_eq!(labels, ["l/dense dense0", "l/dense abcdef"]);
}

#[test]
fn training_is_the_lines_between_its_heading_and_the_next() {
    let config = "seed = 0\n\n[data]\nx = 1\n\n[training]\nrate = 2\n\n[training.schedule]\ny = \
        [\"3\"]\n\n[model]\nz = 4\n";
    assert_eq!(
        training_settings(config),
        [
            "[training]",
            "rate = 2",
            "[training.schedule]",
            "y = [\"3\"]"
        ]
    );
    assert!(training_settings("").is_empty());
}
