//! How many memory layers are best: the one rule that looks at where blocks stand.

use super::evidence::{Rows, decided, sign};
use super::rules::HOLDS_ZERO;
use super::{Finding, Outcome};
use crate::gains::Measure;
use crate::study::Rung;

/// Layers with slots that a block has on a rung, where its memories are gated.
fn gated_layers(rows: &Rows, block: &str, rung: &Rung) -> Option<usize> {
    let run = *rows.study.finished(block, rung).first()?;
    let layers = rows
        .study
        .frames
        .usage()
        .iter()
        .filter(|row| row.run == run.run && row.unit == "slot")
        .count();
    (layers > 0 && run.config.lines().any(|line| line.trim() == "gate = true")).then_some(layers)
}

pub fn three_layers(rows: &Rows) -> Finding {
    let none = || {
        Finding::untested(
            "no gated memories with three layers and with more ran at one size and budget",
        )
    };
    let counted = |rung: &Rung| -> Vec<(&str, usize)> {
        let blocks = rows.study.blocks.iter();
        blocks
            .filter_map(|block| Some((*block, gated_layers(rows, block, rung)?)))
            .collect()
    };
    let fits = |found: &[(&str, usize)]| {
        found.iter().any(|(_, n)| *n == 3) && found.iter().any(|(_, n)| *n > 3)
    };
    let Some(rung) = rows
        .study
        .rungs
        .iter()
        .rev()
        .find(|rung| fits(&counted(rung)))
    else {
        return none();
    };
    let found = counted(rung);
    let Some((three, _)) = found.iter().find(|(_, n)| *n == 3) else {
        return none();
    };
    let suites = Measure::Recall.suites(rows.suites);
    let gaps: Vec<_> = found
        .iter()
        .filter(|(_, n)| *n != 3)
        .filter_map(|(other, n)| {
            let (gap, words) = rows.difference(&suites, (three, other), rung)?;
            Some((sign(&gap), format!("{words} ({n} layers)")))
        })
        .collect();
    let outcome = if gaps.iter().any(|(sign, _)| *sign == Outcome::Contradicted) {
        Outcome::Contradicted
    } else if !gaps.is_empty() && gaps.iter().all(|(sign, _)| *sign == Outcome::Supported) {
        Outcome::Supported
    } else {
        Outcome::NotTested
    };
    let words: Vec<&str> = gaps.iter().map(|(_, words)| words.as_str()).collect();
    let blocks: Vec<&str> = found.iter().map(|(block, _)| *block).collect();
    decided(
        outcome,
        words.join("; "),
        rows.scale(&blocks, rung),
        HOLDS_ZERO,
    )
}
