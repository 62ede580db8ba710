//! Provenance: commits, versions, devices and data of the runs, and the commands that repeat them.

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::RunRow;

use crate::table::Table;
use results::number::{NONE, bytes, duration, fixed};
use results::study::Study;

pub fn body(study: &Study) -> Markup {
    let runs = study.frames.runs();
    html! {
        @let commands = distinct(runs, |run| run.command.clone());
        @if !commands.is_empty() {
            p { "To repeat:" }
            pre { code { @for (command, _) in &commands { (command) "\n" } } }
        }
        dl {
            (entry("Commit", distinct(runs, commit), runs.len()))
            (entry("Versions", distinct(runs, |run| run.version.clone()), runs.len()))
            (entry("Device", distinct(runs, |run| run.device.clone()), runs.len()))
            (entry("Threads", distinct(runs, |run| run.threads.to_string()), runs.len()))
            (entry("Data", distinct(runs, |run| run.data_fingerprint.clone()), runs.len()))
            (entry("Tokenizer", distinct(runs, |run| run.tokenizer_fingerprint.clone()), runs.len()))
        }
        details {
            summary { "All " (runs.len()) " runs" }
            (table(study))
        }
        @for run in runs.iter().filter(|run| !run.config.trim().is_empty()) {
            details.config {
                summary { "Configuration of " code { (run.run) } ": " (run.block) ", " (run.size) ", seed " (run.seed) }
                pre { code { (run.config) } }
            }
        }
    }
}

fn commit(run: &RunRow) -> String {
    match (run.commit.trim(), run.dirty) {
        ("", _) => String::new(),
        (commit, true) => format!("{commit} with uncommitted changes"),
        (commit, false) => commit.into(),
    }
}

/// Each non-empty value with the number of runs that have it.
fn distinct(runs: &[RunRow], of: impl Fn(&RunRow) -> String) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for value in runs.iter().map(of).filter(|value| !value.trim().is_empty()) {
        *counts.entry(value).or_default() += 1;
    }
    counts
}

fn entry(name: &str, values: BTreeMap<String, usize>, all: usize) -> Markup {
    html! {
        dt { (name) }
        @if values.is_empty() { dd { "not recorded" } }
        @for (value, count) in &values {
            dd { code { (value) } @if *count < all { " (" (count) " of " (all) " runs)" } }
        }
    }
}

fn table(study: &Study) -> Table {
    let mut table = Table::new("All runs")
        .text("Run")
        .text("Block")
        .text("Size")
        .number("Seed")
        .text("Status")
        .number("Steps")
        .number("Train loss")
        .number("Val. loss")
        .number("Peak memory")
        .number("Training")
        .text("Started");
    for rung in &study.rungs {
        for block in &study.blocks {
            for run in study.on(rung).filter(|run| run.block == *block) {
                table.row([
                    run.run.clone(),
                    run.block.clone(),
                    rung.label.clone(),
                    run.seed.to_string(),
                    run.status.clone(),
                    run.steps.to_string(),
                    fixed(run.train_loss, 4),
                    fixed(run.val_loss, 4),
                    bytes(run.peak_memory_bytes as f64),
                    duration(run.train_wall_s),
                    if run.started.is_empty() {
                        NONE.into()
                    } else {
                        run.started.clone()
                    },
                ]);
            }
        }
    }
    table
}
