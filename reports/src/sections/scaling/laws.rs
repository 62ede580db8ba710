//! The law in parameters and tokens of each block, or why it has none.

use maud::{Markup, html};

use crate::interval::interval;
use crate::table::Table;
use results::number::NONE;
use results::study::Study;
use results::study::scaling::{loss_power, lowest_losses, parametric_law};

/// A row for each block that finished, and below the table the warnings of its law.
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
        let losses = lowest_losses(study, block);
        if losses.is_empty() {
            continue;
        }
        let exponent =
            loss_power(&losses).map_or_else(|| NONE.into(), |power| interval(&power.exponent, 3));
        let (runs, law) = parametric_law(study, block);
        let head = [
            (*block).to_owned(),
            losses.len().to_string(),
            exponent,
            runs.to_string(),
        ];
        let tail = match &law {
            Ok(fit) => [fit.irreducible, fit.alpha, fit.beta, fit.params_exponent]
                .map(|number| interval(&number, 2)),
            Err(_) => [NONE; 4].map(str::to_owned),
        };
        let texts: Vec<String> = match law {
            Ok(fit) => fit.warnings.iter().map(ToString::to_string).collect(),
            Err(reason) => vec![format!("no law: {reason}")],
        };
        notes.extend(texts.iter().map(|words| format!("{block}: {words}.")));
        table.row(head.into_iter().chain(tail));
    }
    html! {
        (table)
        @for note in notes { p.note { (note) } }
    }
}
