//! The runs compared, and their deviation from the target.

use maud::{Markup, html};

use crate::table::Table;
use results::number::{bytes, prefixed, scientific, signed};
use results::study::{Study, mean};

pub fn body(study: &Study) -> Markup {
    let runs = study.frames.runs();
    let held: Vec<&str> = [
        ("flops", "training FLOPs"),
        ("tokens", "training tokens"),
        ("facts", "training FLOPs and exposures of a fact"),
    ]
    .iter()
    .filter(|(matching, _)| runs.iter().any(|run| run.matching == *matching))
    .map(|(_, words)| *words)
    .collect();
    let mut table = Table::new("Blocks by size, with budget and parameters")
        .text("Block")
        .text("Size")
        .number("Target FLOPs")
        .number("Spent FLOPs")
        .number("Deviation, %")
        .number("Tokens")
        .number("Dense par.")
        .number("Table par.")
        .number("Active par.")
        .number("Table size")
        .number("Seeds");
    for rung in &study.rungs {
        table.group();
        for block in &study.blocks {
            let cell = study.finished(block, rung);
            let Some(first) = cell.first() else { continue };
            let (target, spent) = (
                mean(&cell, |r| r.target_flops),
                mean(&cell, |r| r.train_flops),
            );
            table.row([
                (*block).to_owned(),
                rung.label.clone(),
                scientific(target),
                scientific(spent),
                signed((spent / target - 1.0) * 100.0, 2),
                prefixed(mean(&cell, |r| r.tokens as f64)),
                prefixed(first.params_dense as f64),
                prefixed(first.params_table as f64),
                prefixed(first.params_active as f64),
                bytes(first.table_bytes as f64),
                cell.len().to_string(),
            ]);
        }
    }
    let not_comparable: Vec<_> = study
        .rungs
        .iter()
        .flat_map(|rung| {
            let found = study.not_comparable(rung).into_iter();
            found.map(move |(run, why)| (rung, run, why))
        })
        .collect();
    html! {
        p {
            "The decoders of one size differ in their blocks alone. Held equal between them: "
            strong { (if held.is_empty() { "not recorded".into() } else { held.join(" and ") }) }
            ". A run takes whole steps, so that its FLOPs differ slightly from the target, by the deviation given."
        }
        @if !not_comparable.is_empty() {
            p.warning {
                strong { "Not comparable: " }
                "these runs differ in more than their block from the "
                "dense"
                " run of their size (from the first finished run, where no "
                "dense"
                " run finished). For comparisons with them no difference is computed and none is claimed. "
                @for (index, (rung, run, why)) in not_comparable.iter().enumerate() {
                    @if index > 0 { "; " }
                    (run.block) ", " (rung.label) ", seed " (run.seed) " (" code { (run.run) } "): " (why)
                }
                "."
            }
        }
        @if table.is_empty() {
            p.none { "No run finished." }
        } @else {
            (table)
        }
        (super::matched::solved(study))
    }
}
