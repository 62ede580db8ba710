//! The law in parameters and tokens of each block, or why it has none.

use maud::{Markup, html};
use results::fits::{Reading, parametric, points};

use super::budget_values::{interval, law, losses};
use crate::table::Table;
use results::number::NONE;
use results::study::Study;

/// Resamples behind the law's intervals: enough for two digits, and a page that renders while one waits.
pub const RESAMPLES: u64 = 200;

/// Seed of the resampling.
const SEED: u64 = 0x150_F10D;

/// A line for each block that finished; below it what has to be known of each.
pub fn table(study: &Study) -> Markup {
    let mut notes: Vec<String> = Vec::new();
    let mut table = Table::new("Fitted laws by block")
        .text("Block")
        .number("Budgets")
        .number("Loss ∝ FLOPs to the")
        .number("Runs")
        .number("E")
        .number("α")
        .number("β")
        .number("best N ∝ FLOPs to the");
    for block in &study.blocks {
        let reached = losses(study, block);
        if reached.is_empty() {
            continue;
        }
        let runs = points(study.frames.runs(), block, Reading::Active);
        let exponent = law(&reached).map_or_else(|| NONE.into(), |law| interval(&law.exponent, 3));
        let head = [
            (*block).to_owned(),
            reached.len().to_string(),
            exponent,
            runs.len().to_string(),
        ];
        let law = parametric(&runs, RESAMPLES, SEED);
        let tail = match &law {
            Ok(fit) => [fit.irreducible, fit.alpha, fit.beta, fit.params_exponent]
                .map(|number| interval(&number, 2)),
            Err(_) => [NONE; 4].map(str::to_owned),
        };
        let said: Vec<String> = match law {
            Ok(fit) => fit.doubts.iter().map(ToString::to_string).collect(),
            Err(reason) => vec![format!("no law: {reason}")],
        };
        notes.extend(said.iter().map(|words| format!("{block}: {words}.")));
        table.row(head.into_iter().chain(tail));
    }
    html! {
        (table)
        @for note in notes { p.note { (note) } }
    }
}
