//! The law in parameters and tokens of each block, or why it has none.

use results::fits::{Reading, parametric, points};

use super::{interval, law, losses};
use crate::number::NONE;
use crate::study::Study;
use crate::table::Table;

/// Resamples behind the law's intervals: enough for two digits, and a page that renders while one waits.
pub const RESAMPLES: u64 = 200;

/// Seed of the resampling.
const SEED: u64 = 0x150_F10D;

/// A line for each block that finished.
pub fn table(study: &Study) -> Table {
    let mut table = Table::new("Fitted laws by block")
        .text("Block")
        .number("Budgets")
        .number("Loss ∝ FLOPs to the")
        .number("Runs")
        .number("E")
        .number("α")
        .number("β")
        .number("best N ∝ FLOPs to the")
        .prose("Remarks");
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
        let tail = match parametric(&runs, RESAMPLES, SEED) {
            Ok(fit) => [
                interval(&fit.irreducible, 2),
                interval(&fit.alpha, 2),
                interval(&fit.beta, 2),
                interval(&fit.params_exponent, 2),
                fit.doubts
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>()
                    .join("; "),
            ],
            Err(reason) => [
                NONE.into(),
                NONE.into(),
                NONE.into(),
                NONE.into(),
                format!("no law: {reason}"),
            ],
        };
        table.row(head.into_iter().chain(tail));
    }
    table
}
