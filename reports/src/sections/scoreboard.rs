//! Block by size for each suite: accuracy, and the difference to dense on the same items.

use maud::{Markup, html};

use crate::table::Table;
use results::number::{NONE, fixed, percent, signed};
use results::statistics::Side;
use results::study::Study;
use results::study::scores::{BlockScore, PairedDifference, Scores, Suite};

/// The difference between suites of questions and of recall.
const QUESTIONS_AND_RECALL: &str = "Questions and recall are scored separately. A suite of facts asks questions in a phrasing that was \
    not trained on; the same suite with \u{201c}recall\u{201d} has statements completed in a phrasing that was. A \
    block \
    can store more facts without answering more questions.";

pub fn body(study: &Study, scores: &Scores) -> Markup {
    html! {
        @if scores.suites.is_empty() {
            p.none { "No suite was scored." }
        } @else {
            p {
                "Share of right answers in percent, with its 95 % interval. Below it the difference to dense in points, "
                "on the same items: "
                span.better { "▲" } " better and " span.worse { "▼" } " worse than dense where the 95 % interval of the "
                "difference excludes zero, " span.level { "≈" } " where it does not. No mark: no difference could be computed."
            }
            @if scores.suites.iter().any(Suite::is_recall) {
                p { (QUESTIONS_AND_RECALL) }
            }
        }
        @for (index, suite) in scores.suites.iter().enumerate() {
            h3 { (suite.name) " " small { (suite.metric.replace('_', " ")) } }
            (table(study, scores, index, suite))
        }
    }
}

fn table(study: &Study, scores: &Scores, index: usize, suite: &Suite) -> Markup {
    let blocks = 0..study.blocks.len();
    let rungs: Vec<usize> = (0..study.rungs.len())
        .filter(|&rung| {
            blocks
                .clone()
                .any(|block| scores.get(index, rung, block).is_some())
        })
        .collect();
    let mut table = rungs
        .iter()
        .fold(Table::new(suite.name).text("Block"), |table, rung| {
            table.number(&study.rungs[*rung].label)
        });
    let mut items: Vec<u64> = Vec::new();
    let mut seeds: Vec<usize> = Vec::new();
    for block in blocks {
        let scores_of_block: Vec<Option<&BlockScore>> = rungs
            .iter()
            .map(|&rung| scores.get(index, rung, block))
            .collect();
        if scores_of_block.iter().all(Option::is_none) {
            continue;
        }
        items.extend(
            scores_of_block
                .iter()
                .flatten()
                .map(|score| score.accuracy.n),
        );
        seeds.extend(scores_of_block.iter().flatten().map(|score| score.seeds));
        let name = html! { (study.blocks[block]) };
        table.row(std::iter::once(name).chain(scores_of_block.iter().copied().map(cell)));
    }
    if let Some(baseline) = suite.baseline {
        let name = html! { em { (suite.baseline_name()) } };
        table.row(std::iter::once(name).chain(rungs.iter().map(|_| html! { (percent(baseline)) })));
    }
    html! {
        (table)
        p.note { (range(&items)) " items, " (range(&seeds)) @if seeds.iter().all(|n| *n == 1) { " seed" } @else { " seeds" } " per cell." }
    }
}

fn cell(score: Option<&BlockScore>) -> Markup {
    let Some(score) = score else {
        return html! { (NONE) };
    };
    let accuracy = score.accuracy;
    html! {
        span.value { (percent(accuracy.value)) }
        " " span.interval { "[" (percent(accuracy.low)) ", " (percent(accuracy.high)) "]" }
        @if let Some(PairedDifference { interval: gap, .. }) = score.difference {
            @let (class, mark) = match gap.side(0.0) {
                Side::Above => ("better", "▲"),
                Side::Below => ("worse", "▼"),
                Side::Undecided => ("level", "≈"),
            };
            br;
            span.gap {
                span class=(class) { (mark) } " " (signed(gap.value * 100.0, 1))
                @if gap.is_bounded() {
                    " " span.interval { "[" (fixed(gap.low * 100.0, 1)) ", " (fixed(gap.high * 100.0, 1)) "]" }
                }
            }
        }
    }
}

fn range<T: Ord + std::fmt::Display>(values: &[T]) -> String {
    match (values.iter().min(), values.iter().max()) {
        (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
        (Some(only), _) => only.to_string(),
        _ => NONE.into(),
    }
}
