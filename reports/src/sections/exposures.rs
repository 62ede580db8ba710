//! Epochs of the corpus, and how often runs were trained on the facts.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::interval::interval;
use crate::table::Table;
use results::number::{NONE, fixed, prefixed};
use results::study::scores::Suite;
use results::study::split::splits;
use results::study::{Study, mean};
use results::{ExposureRow, RunRow};

pub fn body(study: &Study, suites: &[Suite]) -> Markup {
    let mut table = Table::new("Epochs and exposures by size and block")
        .text("Size")
        .text("Block")
        .number("Tokens")
        .number("Epochs")
        .number("Relative to dense")
        .prose("Exposures of a fact");
    for rung in &study.rungs {
        table.group();
        let epochs = |runs: &[&RunRow]| mean(runs, |run| run.epochs);
        let dense = epochs(&study.finished_reference(rung));
        for block in &study.blocks {
            let runs = study.finished(block, rung);
            let Some(first) = runs.first() else { continue };
            table.row([
                rung.label.clone(),
                (*block).to_owned(),
                prefixed(mean(&runs, |run| run.tokens as f64)),
                fixed(epochs(&runs), 1),
                fixed(epochs(&runs) / dense, 3),
                exposures(study, first),
            ]);
        }
    }
    if table.is_empty() {
        return html! { p.none { "No run finished." } };
    }
    html! {
        p {
            "Corpora repeat: a block that costs less per token gets more tokens at equal FLOPs, and so more exposures of every fact. Where \
             the column “relative to dense” is not 1, a lead at equal FLOPs is in part that of more exposures, and the laws of \
             repeated data, which were fitted to other corpora, are not applied."
            @if !study.frames.exposures().is_empty() { " Statements are phrased anew at every exposure." }
        }
        (table)
        (divided(study, suites))
    }
}

/// Leads at equal FLOPs, divided, where runs were added for it.
fn divided(study: &Study, suites: &[Suite]) -> Markup {
    let splits = splits(study, suites);
    if splits.is_empty() {
        return html! {};
    }
    let mut table = Table::new("Leads divided")
        .text("Size")
        .text("Block")
        .text("Loss")
        .number("Seeds")
        .number("Tokens relative to dense")
        .number("Lead")
        .number("More tokens")
        .number("Better per token")
        .number("Share of more tokens")
        .text("Order");
    for split in &splits {
        let share = split.share.map_or_else(
            || "lead not established".to_owned(),
            |share| interval(&share, 2),
        );
        table.row([
            split.rung.label.clone(),
            split.block.to_owned(),
            split.loss.words().to_owned(),
            split.lead.n.to_string(),
            fixed(split.tokens_ratio, 3),
            interval(&split.lead, 3),
            interval(&split.more_tokens, 3),
            interval(&split.per_token, 3),
            share,
            if split.is_both { "both" } else { "first" }.to_owned(),
        ]);
    }
    html! {
        h3 { "Leads divided" }
        p {
            "The lead of a block at equal FLOPs is dense’s loss minus its own; positive is better. Runs of the block at dense’s tokens, and of dense at the \
             block’s, each with its own schedule, divide it into what more tokens give and what is better per token, as the mean of both orders of \
             the two changes. Intervals are Student’s t over seeds, of the share Fieller’s."
        }
        (table)
    }
}

/// Such as `biographies: 41.2 [41, 42] statements`, for each suite.
fn exposures(study: &Study, run: &RunRow) -> String {
    let rows = study.frames.exposures().iter();
    let mut suites: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for row in rows.filter(|row| row.run == run.run && row.mean > 0.0) {
        // Both splits have equally many statements; questions exist for one.
        if row.form == "question" || row.split == "train" {
            suites.entry(&row.suite).or_default().push(words(row));
        }
    }
    let suites = suites.into_iter();
    let suites = suites.map(|(suite, forms)| format!("{suite}: {}", forms.join(", ")));
    let text = suites.collect::<Vec<_>>().join("; ");
    match text.is_empty() {
        true => NONE.to_owned(),
        false => text,
    }
}

fn words(row: &ExposureRow) -> String {
    let bounds = match (row.least, row.most) {
        (Some(least), Some(most)) => format!(" [{}, {}]", fixed(least, 0), fixed(most, 0)),
        _ => String::new(),
    };
    format!("{}{bounds} {}s", fixed(row.mean, 1), row.form)
}
