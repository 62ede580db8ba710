//! The first sentences of the page, computed by rule. They claim a difference only where its interval excludes zero.

mod loss;
mod selection_note;

use maud::{Markup, html};

use loss::loss;
use results::number::{fixed, percent, scientific, signed};
use results::study::block_order::REFERENCE;
use results::study::scores::{self, Entry, Gap, Suite};
use results::study::{BlockAtRung, Rung, Study};
use selection_note::selection_note;

/// What the sweep found, in a few sentences: questions, recall, loss.
pub fn verdict(study: &Study, suites: &[Suite]) -> Markup {
    let runs = study.frames.runs();
    let finished = runs.iter().filter(|run| run.status == "finished").count();
    let Some(budget) = top(study) else {
        return html! { p.verdict { "No run finished, so nothing can be compared." } };
    };
    html! {
        @for sentence in knowledge(study, suites, &budget) { p.verdict { (sentence) } }
        p.lede {
            (loss(study, &places(study, &budget, &[])))
            @if !left_out(study, &budget).is_empty() {
                " Left out, as " a href="#compared" { "not comparable" } ": " (left_out(study, &budget).join(", ")) "."
            }
            " " (finished) " of " (runs.len()) " runs finished" @if finished < runs.len() {
                "; " a href="#failures" { "the others failed" }
            } "."
        }
    }
}

/// The largest budget at which dense and another block finished, else the largest at which anything did.
fn top<'s>(study: &'s Study) -> Option<Vec<&'s Rung>> {
    let has = |budget: &[&Rung], block: &str| {
        budget
            .iter()
            .any(|rung| !study.finished(block, rung).is_empty())
    };
    let any = |budget: &[&Rung]| study.blocks.iter().any(|block| has(budget, block));
    let paired = |budget: &[&Rung]| {
        let mut others = study.blocks.iter().filter(|block| **block != REFERENCE);
        has(budget, REFERENCE) && others.any(|block| has(budget, block))
    };
    let budgets = study.budgets();
    let found = budgets
        .iter()
        .rev()
        .find(|budget| paired(budget))
        .or_else(|| budgets.iter().rev().find(|budget| any(budget)));
    found.cloned()
}

/// Where the blocks that can be compared with dense are at a budget, each at its size of the lowest loss; all of them where
/// there is no dense.
fn places<'s>(study: &'s Study, budget: &[&'s Rung], asked: &[&Suite]) -> Vec<BlockAtRung<'s>> {
    let all: Vec<BlockAtRung> = study
        .blocks
        .iter()
        .filter_map(|block| study.best(block, budget, asked))
        .collect();
    let Some(standard) = all
        .iter()
        .copied()
        .find(|(block, _)| *block == REFERENCE)
        .or(all.first().copied())
    else {
        return all;
    };
    let fit = |place: &BlockAtRung| place.0 == standard.0 || study.alike(&[standard, *place]);
    all.into_iter().filter(fit).collect()
}

/// What a group of suites evaluates, in words.
struct SuiteGroup {
    answers: &'static str,
    answer: &'static str,
    items: &'static str,
    /// In what words.
    how: &'static str,
}

const QUESTIONS: SuiteGroup = SuiteGroup {
    answers: "answers",
    answer: "answer",
    items: "questions",
    how: "in an unseen phrasing",
};

const RECALL: SuiteGroup = SuiteGroup {
    answers: "completes",
    answer: "complete",
    items: "statements",
    how: "in a phrasing that was trained on",
};

/// One sentence for questions and one for recall, where they were scored.
fn knowledge(study: &Study, suites: &[Suite], budget: &[&Rung]) -> Vec<String> {
    let (recall, questions): (Vec<&Suite>, Vec<&Suite>) = suites
        .iter()
        .filter(|suite| suite.metric == "exact_match")
        .partition(|suite| suite.is_recall());
    let found: Vec<String> = [(QUESTIONS, questions), (RECALL, recall)]
        .iter()
        .filter_map(|(kind, asked)| pooled(study, kind, asked, budget))
        .collect();
    if found.is_empty() {
        return vec![
            "No suite of questions was scored, so the blocks are compared by their loss alone."
                .into(),
        ];
    }
    let flops = budget.iter().map(|rung| rung.flops).fold(0.0, f64::max);
    let size = match budget {
        [rung] => rung.label.clone(),
        several => format!(
            "each block at that of {} sizes where its validation loss is lowest",
            several.len()
        ),
    };
    let place = format!(
        "At the largest budget compared ({size}, {} training FLOPs)",
        scientific(flops)
    );
    let places = [place.as_str(), "At the same budget"].into_iter();
    places
        .zip(found)
        .map(|(place, found)| format!("{place}, {found}"))
        .collect()
}

/// How the blocks did on these suites taken together, as the rest of a sentence that says where; none where none of them scored.
fn pooled(study: &Study, kind: &SuiteGroup, asked: &[&Suite], budget: &[&Rung]) -> Option<String> {
    let (mut entries, mut lacking) = (Vec::<(&str, Entry)>::new(), Vec::new());
    let places = places(study, budget, asked);
    let dense = places.iter().find(|(block, _)| *block == REFERENCE);
    for place in &places {
        match scores::entry(study, asked, place.0, place.1) {
            Ok(Some(mut entry)) => {
                // Each at its own size, which need not be that of dense.
                entry.difference = dense
                    .filter(|dense| dense.0 != place.0)
                    .and_then(|dense| scores::against(study, asked, *place, *dense).ok());
                entries.push((place.0, entry));
            }
            Ok(None) => {}
            Err(missing) => lacking.push(format!("{} ({missing})", place.0)),
        }
    }
    let lacking = match lacking.as_slice() {
        [] => String::new(),
        some => format!(
            " Left out, as not evaluated on everything: {}.",
            some.join(", ")
        ),
    };
    match compared(kind, asked, entries) {
        Some(found) => Some(found + &lacking),
        None if lacking.is_empty() => None,
        None => Some(format!(
            "no block was evaluated on all of the {}.{lacking}",
            kind.items
        )),
    }
}

/// The sentence for entries of the same questions.
fn compared(
    kind: &SuiteGroup,
    asked: &[&Suite],
    mut entries: Vec<(&str, Entry)>,
) -> Option<String> {
    // Stable: of equals the first in the page's order leads, which is dense where dense is among them.
    entries.sort_by(|(_, a), (_, b)| b.accuracy.value.total_cmp(&a.accuracy.value));
    let (best, entry) = entries.first()?;
    let names: Vec<&str> = asked.iter().map(|suite| suite.subject()).collect();
    let SuiteGroup {
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
    let bounded = entry.difference.filter(|gap| gap.interval.is_bounded());
    let Some(Gap {
        interval: gap,
        seeds,
    }) = bounded
    else {
        return Some(format!(
            "{against}. The answers cannot be paired item by item, so the difference has no interval."
        ));
    };
    let points = format!(
        "{} points (95\u{a0}% interval {} to {}{})",
        signed(gap.value * 100.0, 1),
        fixed(gap.low * 100.0, 1),
        fixed(gap.high * 100.0, 1),
        if seeds == 1 {
            format!(", over {items}; one seed")
        } else {
            String::new()
        },
    );
    let choice = selection_note(entries.len() - 1);
    if gap.excludes(0.0) {
        return Some(format!("{against}: {points}{choice}."));
    }
    let ahead: Vec<&str> = entries
        .iter()
        .filter(|(_, entry)| {
            entry
                .difference
                .is_some_and(|gap| gap.interval.value > 0.0 && gap.interval.excludes(0.0))
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

/// The blocks that finished there and cannot be compared.
fn left_out<'s>(study: &'s Study, budget: &[&'s Rung]) -> Vec<&'s str> {
    let fit = places(study, budget, &[]);
    let blocks = study.blocks.iter().copied();
    blocks
        .filter(|block| {
            let stands = study.best(block, budget, &[]).is_some();
            stands && !fit.iter().any(|(other, _)| other == block)
        })
        .collect()
}
