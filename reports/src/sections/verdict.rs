//! The first sentences of the page, computed by rule. They claim a difference only where its interval excludes zero.

use maud::{Markup, html};
use results::statistics::mean_over_seeds;

use crate::blocks::REFERENCE;
use crate::number::{fixed, percent, scientific, signed};
use crate::score::{self, Entry, Suite};
use crate::study::{Rung, Study};

/// What the sweep found, in two or three sentences.
pub fn verdict(study: &Study, suites: &[Suite]) -> Markup {
    let runs = study.frames.runs();
    let finished = runs.iter().filter(|run| run.status == "finished").count();
    let Some(rung) = top(study) else {
        return html! { p.verdict { "No run finished, so nothing can be compared." } };
    };
    html! {
        p.verdict { (knowledge(study, suites, rung)) }
        p.lede {
            (loss(study, rung))
            " " (finished) " of " (runs.len()) " runs finished" @if finished < runs.len() {
                "; " a href="#failures" { "the others failed" }
            } "."
        }
    }
}

/// The largest rung on which dense and another block finished, else the largest on which anything did.
fn top<'s>(study: &'s Study) -> Option<&'s Rung> {
    let has = |rung: &&Rung, block: &str| !study.finished(block, rung).is_empty();
    let any = |rung: &&Rung| study.blocks.iter().any(|block| has(rung, block));
    let paired = |rung: &&Rung| {
        has(rung, REFERENCE)
            && study
                .blocks
                .iter()
                .any(|block| *block != REFERENCE && has(rung, block))
    };
    study
        .rungs
        .iter()
        .rev()
        .find(paired)
        .or_else(|| study.rungs.iter().rev().find(any))
}

fn knowledge(study: &Study, suites: &[Suite], rung: &Rung) -> String {
    let asked: Vec<&Suite> = suites
        .iter()
        .filter(|suite| suite.metric == "exact_match")
        .collect();
    let mut entries: Vec<(&str, Entry)> = study
        .blocks
        .iter()
        .filter_map(|block| Some((*block, score::entry(study, &asked, block, rung)?)))
        .collect();
    // Stable: of equals the first in the page's order leads, which is dense where dense is among them.
    entries.sort_by(|(_, a), (_, b)| b.accuracy.value.total_cmp(&a.accuracy.value));
    let dense = entries.iter().find(|(block, _)| *block == REFERENCE);
    let Some((best, entry)) = entries.first() else {
        return "No suite of questions was scored, so the blocks are compared by their loss alone."
            .into();
    };
    let names: Vec<&str> = asked.iter().map(|suite| suite.name).collect();
    let place = format!(
        "At the largest budget compared ({}, {} training FLOPs)",
        rung.label,
        scientific(rung.flops)
    );
    let (found, of) = (
        percent(entry.accuracy.value),
        format!("the questions of {}", names.join(" and ")),
    );
    let Some((_, dense)) = dense else {
        return format!(
            "{place}, {best} answers most of {of} right: {found}\u{a0}%. No dense run finished there to compare with."
        );
    };
    if *best == REFERENCE {
        return format!("{place}, no block answers more of {of} right than dense: {found}\u{a0}%.");
    }
    let against = format!(
        "{place}, {best} answers {found}\u{a0}% of {of} right, against {}\u{a0}% for dense",
        percent(dense.accuracy.value),
    );
    let Some(gap) = entry.difference.filter(|gap| gap.is_bounded()) else {
        return format!(
            "{against}. The answers were not recorded item by item, so the difference has no interval."
        );
    };
    let points = format!(
        "{} points (95\u{a0}% interval {} to {}{})",
        signed(gap.value * 100.0, 1),
        fixed(gap.low * 100.0, 1),
        fixed(gap.high * 100.0, 1),
        if entry.seeds == 1 {
            ", over questions; one seed"
        } else {
            ""
        },
    );
    if gap.excludes(0.0) {
        return format!("{against}: {points}.");
    }
    let ahead: Vec<&str> = entries
        .iter()
        .filter(|(_, entry)| {
            entry
                .difference
                .is_some_and(|gap| gap.value > 0.0 && gap.excludes(0.0))
        })
        .map(|(block, _)| *block)
        .collect();
    let others = match ahead.as_slice() {
        [] => "No block is shown to answer more than dense.".into(),
        some => format!(
            "Of the others, {} is ahead of dense by an interval that excludes zero.",
            some.join(", ")
        ),
    };
    format!("{against}: {points}, which does not exclude zero. {others}")
}

fn loss(study: &Study, rung: &Rung) -> String {
    let mut losses: Vec<(&str, f64)> = study
        .blocks
        .iter()
        .map(|block| {
            let values: Vec<f64> = study
                .finished(block, rung)
                .iter()
                .map(|run| run.val_loss)
                .collect();
            (*block, mean_over_seeds(&values).value)
        })
        .filter(|(_, loss)| loss.is_finite())
        .collect();
    losses.sort_by(|(_, a), (_, b)| a.total_cmp(b));
    let dense = losses.iter().find(|(block, _)| *block == REFERENCE);
    match (losses.first(), dense) {
        (None, _) => "No validation loss was measured there.".into(),
        (Some((best, low)), Some((_, dense))) if *best != REFERENCE => format!(
            "Validation loss there is lowest for {best}, {} nats per token against {} for dense.",
            fixed(*low, 3),
            fixed(*dense, 3)
        ),
        (Some((best, low)), _) => {
            format!(
                "Validation loss there is lowest for {best}, {} nats per token.",
                fixed(*low, 3)
            )
        }
    }
}
