//! Published benchmarks: every metric of every block, with its difference to dense.

use maud::{Markup, html};

use crate::interval::interval;
use crate::table::Table;
use results::WHOLE_SUITE;
use results::number::{NONE, fixed};
use results::statistics::Side;
use results::study::Study;
use results::study::benchmarks::{BenchmarkScores, BlockMean, benchmark_scores, is_loss};

pub fn body(study: &Study) -> Markup {
    let rows = benchmark_scores(study);
    if rows.is_empty() {
        return html! { p.none { "No run was evaluated on a published benchmark." } };
    }
    html! {
        p {
            "Published files, prompts and metrics by the conventions of lm-evaluation-harness. Means over seeds with \
             Student’s 95 % interval, of a single seed over items. Below a mean the block minus dense, paired by seed: "
            span.better { "▲" } " better, " span.worse { "▼" } " worse where its 95 % interval excludes zero, " span.level { "≈" }
            " where it does not; each interval holds alone, without a correction for their number. Bits per byte (bpb) are those of the \
             first right answer after the prompt, and can be compared between tokenizers."
        }
        @for rows in rows.chunk_by(|a, b| a.evaluation.task == b.evaluation.task) {
            (task(study, rows))
        }
    }
}

fn task(study: &Study, rows: &[BenchmarkScores]) -> Markup {
    let evaluation = rows[0].evaluation;
    let (whole, groups): (Vec<&BenchmarkScores>, Vec<&BenchmarkScores>) =
        rows.iter().partition(|row| row.group == WHOLE_SUITE);
    // Of groups the first metric alone.
    let metric = groups.first().map_or("", |row| row.metric);
    let groups: Vec<&BenchmarkScores> = groups
        .into_iter()
        .filter(|row| row.metric == metric)
        .collect();
    html! {
        h3 { (evaluation.task) " " small { (evaluation.split) ", " (evaluation.n_shot) "-shot" } }
        (table(study, &evaluation.task, &whole, false))
        p.note {
            (evaluation.evaluated) " of " (evaluation.items) " items"
            @if evaluation.evaluated < evaluation.items { ", drawn at random and the same for every run" }
            ", contexts of at most " (evaluation.max_length) " tokens"
            @if evaluation.prompts_cut > 0 { "; " (evaluation.prompts_cut) " prompts lost their start" }
            @if evaluation.answers_cut > 0 { "; " (evaluation.answers_cut) " answers ended at the largest number of tokens" }
            @if rows[0].left_out > 0 { "; " (rows[0].left_out) " runs were evaluated on other items or otherwise and are left out" }
            @if evaluation.skipped > 0 { "; " (evaluation.skipped) " records could not be read" }
            "."
        }
        @if !groups.is_empty() {
            details {
                summary { "By group: " (metric.replace('_', " ")) }
                (table(study, &format!("{} by group", evaluation.task), &groups, true))
            }
        }
    }
}

fn table(study: &Study, label: &str, rows: &[&BenchmarkScores], by_group: bool) -> Markup {
    let mut table = Table::new(label)
        .text(if by_group { "Group" } else { "Metric" })
        .text("Size");
    for block in &study.blocks {
        table = table.number(block);
    }
    table = table.number("Baseline");
    for row in rows {
        let name = if by_group { row.group } else { row.metric };
        let cells = row
            .blocks
            .iter()
            .map(|block| cell(row.metric, block.as_ref()));
        let first = [
            html! { (name.replace('_', " ")) },
            html! { (row.rung.label) },
        ];
        let baseline = row
            .baseline
            .map_or(NONE.to_owned(), |value| fixed(value, 3));
        table.row(first.into_iter().chain(cells).chain([html! { (baseline) }]));
    }
    html! { (table) }
}

fn cell(metric: &str, block: Option<&BlockMean>) -> Markup {
    let Some(BlockMean { mean, difference }) = block else {
        return html! { (NONE) };
    };
    html! {
        span.value { (fixed(mean.value, 3)) }
        @if mean.is_bounded() { " " span.interval { "[" (fixed(mean.low, 3)) ", " (fixed(mean.high, 3)) "]" } }
        @if let Some(difference) = difference {
            @let above_is_better = !is_loss(metric);
            @let (class, mark) = match difference.side(0.0) {
                Side::Undecided => ("level", "≈"),
                side if (side == Side::Above) == above_is_better => ("better", "▲"),
                _ => ("worse", "▼"),
            };
            br;
            span.gap { span class=(class) { (mark) } " " (interval(difference, 3)) }
        }
    }
}
