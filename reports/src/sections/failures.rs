//! Failed runs and skipped scores, with their reasons, and warnings of training.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::table::Table;
use results::WarningRow;
use results::number::{NONE, fixed};
use results::study::Study;

pub fn body(study: &Study) -> Markup {
    let mut failed = Table::new("Failed runs")
        .text("Run")
        .text("Block")
        .text("Size")
        .number("Seed")
        .text("Reason");
    for run in study
        .frames
        .runs()
        .iter()
        .filter(|run| run.status != "finished")
    {
        let size = study
            .rung(run)
            .map_or(run.size.clone(), |rung| rung.label.clone());
        failed.row([
            run.run.clone(),
            run.block.clone(),
            size,
            run.seed.to_string(),
            or_dash(&run.reason),
        ]);
    }
    // A suite skipped in many runs for one reason has one row.
    let mut gaps: BTreeMap<(&str, &str, &str), usize> = BTreeMap::new();
    for score in study
        .frames
        .scores()
        .iter()
        .filter(|score| score.status != "scored")
    {
        *gaps
            .entry((&score.suite, &score.task, &score.reason))
            .or_default() += 1;
    }
    let mut skipped = Table::new("Skipped scores")
        .text("Suite")
        .text("Task")
        .text("Reason")
        .number("Scores");
    for ((suite, task, reason), scores) in gaps {
        skipped.row([
            suite.to_owned(),
            task.to_owned(),
            or_dash(reason),
            scores.to_string(),
        ]);
    }
    let warnings = warnings(study);
    html! {
        h3 { "Failed runs" }
        @if failed.is_empty() { p.none { "None." } } @else { (failed) }
        h3 { "Skipped scores" }
        @if skipped.is_empty() { p.none { "None." } } @else { (skipped) }
        h3 { "Warnings" }
        @if warnings.is_empty() { p.none { "None." } } @else { (warnings) }
    }
}

/// Events of training that did not end a run; those of one kind and subject of a run in one row.
fn warnings(study: &Study) -> Table {
    let mut table = Table::new("Warnings of training")
        .text("Block")
        .text("Size")
        .number("Seed")
        .text("Kind")
        .text("Subject")
        .number("Times")
        .number("First step")
        .number("Value")
        .number("Threshold")
        .text("Detail");
    let mut groups: BTreeMap<(&str, &str, &str), Vec<&WarningRow>> = BTreeMap::new();
    for row in study.frames.warnings() {
        let key = (row.run.as_str(), row.kind.as_str(), row.subject.as_str());
        groups.entry(key).or_default().push(row);
    }
    for ((run, kind, subject), rows) in groups {
        let (Some(run), Some(first)) = (study.run(run), rows.first()) else {
            continue;
        };
        let size = study.rung(run);
        table.row([
            run.block.clone(),
            size.map_or(run.size.clone(), |rung| rung.label.clone()),
            run.seed.to_string(),
            kind.replace('_', " "),
            subject.to_owned(),
            rows.len().to_string(),
            first.step.to_string(),
            fixed(first.value, 3),
            fixed(first.threshold, 3),
            or_dash(&first.detail),
        ]);
    }
    table
}

fn or_dash(reason: &str) -> String {
    if reason.trim().is_empty() {
        NONE.into()
    } else {
        reason.into()
    }
}
