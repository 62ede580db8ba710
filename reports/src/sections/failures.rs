//! Failed runs and skipped scores, with their reasons.

use std::collections::BTreeMap;

use maud::{Markup, html};

use crate::table::Table;
use results::number::NONE;
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
    html! {
        h3 { "Failed runs" }
        @if failed.is_empty() { p.none { "None." } } @else { (failed) }
        h3 { "Skipped scores" }
        @if skipped.is_empty() { p.none { "None." } } @else { (skipped) }
    }
}

fn or_dash(reason: &str) -> String {
    if reason.trim().is_empty() {
        NONE.into()
    } else {
        reason.into()
    }
}
