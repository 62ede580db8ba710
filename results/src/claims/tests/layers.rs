//! How many memory layers are best.

use crate::{Frames, RunRow, UsageRow};

use super::rows::{Right, changed, finding, frames, run};
use crate::claims::Verdict;

fn usage(block: &str, count: u64, units: u64) -> Vec<UsageRow> {
    let row = |layer| UsageRow {
        run: format!("{block}-1"),
        layer,
        unit: "slot".into(),
        units,
        reads: 65_536,
        collisions: None,
        used_share: 1.0,
        kl_nats: 0.0,
        max_share: 0.1,
    };
    (0..count).map(row).collect()
}

/// Gated memories by name, number of layers and right answers.
fn memories(blocks: &[(&str, u64, Right)]) -> Frames {
    let runs = blocks
        .iter()
        .map(|(block, _, right)| (run(1, block), *right));
    let used = blocks
        .iter()
        .flat_map(|(block, count, _)| usage(block, *count, 64));
    frames(runs.collect(), used.collect())
}

fn judged(frames: &Frames) -> Verdict {
    finding(frames, "Three memory layers").outcome
}

#[test]
fn three_layers_need_more_layers_to_be_compared_with() {
    let of = |blocks: &[(&str, u64, Right)]| judged(&memories(blocks));
    assert_eq!(
        of(&[("memory+", 3, 100), ("memory", 1, 60)]),
        Verdict::NotTested
    );
    assert_eq!(
        of(&[("memory+", 3, 100), ("six", 6, 60)]),
        Verdict::SupportedOnce
    );
    assert_eq!(
        of(&[("memory+", 3, 100), ("six", 6, 140)]),
        Verdict::ContradictedOnce
    );
    assert_eq!(
        of(&[("memory+", 3, 100), ("six", 6, 101)]),
        Verdict::NotTested
    );
}

#[test]
fn memories_of_other_sizes_are_no_other_number_of_layers() {
    let all = memories(&[("memory+", 3, 100), ("six", 6, 60)]);
    let six = |change: fn(&mut RunRow)| {
        judged(&changed(&all, |run| {
            if run.block == "six" {
                change(run);
            }
        }))
    };
    assert_eq!(six(|_| {}), Verdict::SupportedOnce);
    assert_eq!(six(|run| run.params_table = 99), Verdict::NotTested);
    assert_eq!(six(|run| run.train_flops *= 1.05), Verdict::NotTested);
    let mut used = usage("memory+", 3, 64);
    used.extend(usage("six", 6, 32));
    let slots = Frames::new(
        all.runs().to_vec(),
        vec![],
        all.scores().to_vec(),
        all.items().to_vec(),
        used,
    );
    assert_eq!(judged(&slots), Verdict::NotTested);
}

#[test]
fn a_number_of_layers_that_cannot_be_compared_leaves_it_open() {
    let all = memories(&[("memory+", 3, 100), ("six", 6, 60), ("five", 5, 60)]);
    assert_eq!(judged(&all), Verdict::SupportedOnce);
    // Run five was not evaluated, or is of another seed.
    let other = changed(&all, |run| run.seed = u64::from(run.block == "five"));
    assert_eq!(judged(&other), Verdict::NotTested);
}
