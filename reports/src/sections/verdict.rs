//! The first sentences of the page, computed by rule. They claim a difference only where its interval excludes zero.

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::statistics::mean_over_seeds;

use crate::blocks::REFERENCE;
use crate::number::{fixed, percent, scientific, signed};
use crate::score::{self, Entry, Suite};
use crate::study::{Rung, Study};

/// What the sweep found, in a few sentences: questions, recall, loss.
pub fn verdict(study: &Study, suites: &[Suite]) -> Markup {
    let runs = study.frames.runs();
    let finished = runs.iter().filter(|run| run.status == "finished").count();
    let Some(rung) = top(study) else {
        return html! { p.verdict { "No run finished, so nothing can be compared." } };
    };
    html! {
        @for sentence in knowledge(study, suites, rung) { p.verdict { (sentence) } }
        p.lede {
            (loss(study, rung))
            @if !left_out(study, rung).is_empty() {
                " Left out, as " a href="#compared" { "not comparable" } ": " (left_out(study, rung).join(", ")) "."
            }
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

/// What a group of suites asks for, in words.
struct Kind {
    answers: &'static str,
    answer: &'static str,
    items: &'static str,
    /// In what words.
    how: &'static str,
}

const QUESTIONS: Kind = Kind {
    answers: "answers",
    answer: "answer",
    items: "questions",
    how: "in an unseen phrasing",
};

const RECALL: Kind = Kind {
    answers: "completes",
    answer: "complete",
    items: "statements",
    how: "in a phrasing that was trained on",
};

/// One sentence for questions and one for recall, where they were scored.
fn knowledge(study: &Study, suites: &[Suite], rung: &Rung) -> Vec<String> {
    let (recall, questions): (Vec<&Suite>, Vec<&Suite>) = suites
        .iter()
        .filter(|suite| suite.metric == "exact_match")
        .partition(|suite| suite.is_recall());
    let found: Vec<String> = [(QUESTIONS, questions), (RECALL, recall)]
        .iter()
        .filter_map(|(kind, asked)| pooled(study, kind, asked, rung))
        .collect();
    if found.is_empty() {
        return vec![
            "No suite of questions was scored, so the blocks are compared by their loss alone."
                .into(),
        ];
    }
    let place = format!(
        "At the largest budget compared ({}, {} training FLOPs)",
        rung.label,
        scientific(rung.flops)
    );
    let places = [place.as_str(), "At the same budget"].into_iter();
    places
        .zip(found)
        .map(|(place, found)| format!("{place}, {found}"))
        .collect()
}

/// How the blocks did on these suites taken together, as the rest of a sentence that says where; none where none of them scored.
fn pooled(study: &Study, kind: &Kind, asked: &[&Suite], rung: &Rung) -> Option<String> {
    let mut entries: Vec<(&str, Entry)> = comparable(study, rung)
        .filter_map(|block| Some((block, score::entry(study, asked, block, rung)?)))
        .collect();
    // Stable: of equals the first in the page's order leads, which is dense where dense is among them.
    entries.sort_by(|(_, a), (_, b)| b.accuracy.value.total_cmp(&a.accuracy.value));
    let (best, entry) = entries.first()?;
    let names: Vec<&str> = asked.iter().map(|suite| suite.subject()).collect();
    let Kind {
        answers,
        answer,
        items,
        how,
    } = kind;
    let (found, of) = (
        percent(entry.accuracy.value),
        format!("the {items} of {}", names.join(" and ")),
    );
    let Some((_, dense)) = entries.iter().find(|(block, _)| *block == REFERENCE) else {
        return Some(format!(
            "{best} {answers} most of {of} right ({how}): {found}\u{a0}%. No dense run finished there to compare with."
        ));
    };
    if entries.len() == 1 {
        return Some(format!(
            "dense {answers} {found}\u{a0}% of {of} right ({how}), with no other block to compare it with."
        ));
    }
    if *best == REFERENCE {
        return Some(format!(
            "no block {answers} more of {of} right ({how}) than dense: {found}\u{a0}%."
        ));
    }
    let against = format!(
        "{best} {answers} {found}\u{a0}% of {of} right ({how}), against {}\u{a0}% for dense",
        percent(dense.accuracy.value),
    );
    let Some(gap) = entry.difference.filter(|gap| gap.is_bounded()) else {
        return Some(format!(
            "{against}. The answers cannot be paired item by item, so the difference has no interval."
        ));
    };
    let points = format!(
        "{} points (95\u{a0}% interval {} to {}{})",
        signed(gap.value * 100.0, 1),
        fixed(gap.low * 100.0, 1),
        fixed(gap.high * 100.0, 1),
        if entry.seeds == 1 {
            format!(", over {items}; one seed")
        } else {
            String::new()
        },
    );
    let choice = chosen(entries.len() - 1);
    if gap.excludes(0.0) {
        return Some(format!("{against}: {points}{choice}."));
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
        [] => format!("No block is shown to {answer} more than dense."),
        [one] => {
            format!("Of the others, {one} is ahead of dense by an interval that excludes zero.")
        }
        some => format!(
            "Of the others, {} are ahead of dense by intervals that exclude zero.",
            some.join(", ")
        ),
    };
    Some(format!(
        "{against}: {points}, which does not exclude zero{choice}. {others}"
    ))
}

/// The blocks whose runs on this rung can be compared with dense; all of them where there is no dense.
fn comparable<'s>(study: &'s Study, rung: &'s Rung) -> impl Iterator<Item = &'s str> {
    let blocks = study.blocks.iter().copied();
    blocks.filter(|block| *block == REFERENCE || study.comparable(block, rung))
}

/// The blocks that finished there and cannot be compared.
fn left_out<'s>(study: &'s Study, rung: &'s Rung) -> Vec<&'s str> {
    let fit: Vec<&str> = comparable(study, rung).collect();
    let finished = |block: &&str| !study.finished(block, rung).is_empty();
    let blocks = study.blocks.iter().copied().filter(finished);
    blocks.filter(|block| !fit.contains(block)).collect()
}

/// The best of several is ahead partly because it was chosen.
fn chosen(blocks: usize) -> String {
    match blocks {
        0 | 1 => String::new(),
        several => format!("; it is the best of {several} blocks, uncorrected for that choice"),
    }
}

/// A block's validation losses by seed.
type Losses = BTreeMap<u64, f64>;

fn loss(study: &Study, rung: &Rung) -> String {
    let mean = |losses: &Losses| losses.values().sum::<f64>() / losses.len() as f64;
    let mut blocks: Vec<(&str, Losses)> = comparable(study, rung)
        .map(|block| {
            let runs = study.finished(block, rung).into_iter();
            let losses = runs.map(|run| (run.seed, run.val_loss));
            (block, losses.filter(|(_, loss)| loss.is_finite()).collect())
        })
        .filter(|(_, losses): &(_, Losses)| !losses.is_empty())
        .collect();
    blocks.sort_by(|(_, a), (_, b)| mean(a).total_cmp(&mean(b)));
    let Some((best, low)) = blocks.first() else {
        return "No validation loss was measured there.".into();
    };
    let Some((_, dense)) = blocks.iter().find(|(block, _)| *block == REFERENCE) else {
        return format!(
            "Validation loss there is {} nats per token for {best}, with no dense run to compare it with.",
            fixed(mean(low), 3)
        );
    };
    if blocks.len() == 1 {
        return format!(
            "Validation loss there is {} nats per token for dense, with no other block to compare it with.",
            fixed(mean(low), 3)
        );
    }
    if *best == REFERENCE {
        return format!(
            "No block's validation loss there is lower than that of dense, {} nats per token.",
            fixed(mean(dense), 3)
        );
    }
    let pairs: Vec<(f64, f64)> = low
        .iter()
        .filter_map(|(seed, loss)| Some((*loss, *dense.get(seed)?)))
        .collect();
    let differences: Vec<f64> = pairs.iter().map(|(ours, theirs)| ours - theirs).collect();
    let gap = mean_over_seeds(&differences);
    let numbers = format!(
        "Validation loss there is {} nats per token for {best} and {} for dense",
        fixed(mean(low), 3),
        fixed(mean(dense), 3)
    );
    if !gap.is_bounded() {
        return format!("{numbers}: one seed of each, hence no interval and no claim.");
    }
    let verdict = if gap.excludes(0.0) {
        chosen(blocks.len() - 1)
    } else {
        ", which does not exclude zero".into()
    };
    format!(
        "{numbers}, a difference of {} over {} seeds (95\u{a0}% interval {} to {}){verdict}.",
        signed(gap.value, 3),
        gap.n,
        fixed(gap.low, 3),
        fixed(gap.high, 3)
    )
}
