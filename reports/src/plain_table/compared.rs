//! Blocks at every size, and their differences to dense.

use std::f64::consts::LN_2;

use super::PlainTable;
use crate::interval::interval;
use results::RunRow;
use results::number::{bytes, fixed, prefixed, scientific};
use results::statistics::{Interval, mean_over_seeds};
use results::study::scores::Scores;
use results::study::verdicts::{Quantity, Verdict, verdicts, verdicts_against};
use results::study::{BlockAtRung, Measure, Study, mean};

/// Every block at every size: cost, and means over seeds.
pub fn blocks(study: &Study, scores: &Scores) -> PlainTable {
    let mut table = PlainTable {
        name: "blocks",
        header: vec![
            "size",
            "block",
            "n",
            "parameters",
            "of these in tables",
            "FLOPs a token",
            "table bytes a token",
            "epochs",
            "answer loss, nats",
            "validation loss",
            "recall, %",
            "tokens/s",
        ],
        rows: Vec::new(),
    };
    let recall = Measure::Recall.suites(&scores.suites);
    for rung in &study.rungs {
        for block in &study.blocks {
            let runs = study.finished(block, rung);
            let Some(first) = runs.first() else { continue };
            let items = |run: &RunRow| {
                let items = recall.iter().flat_map(|suite| study.items(run, suite.name));
                items.copied().collect::<Vec<_>>()
            };
            let mean_of = |value: &dyn Fn(&results::ItemRow) -> f64| {
                let of_run = |run: &&RunRow| {
                    let items = items(run);
                    items.iter().map(|item| value(item)).sum::<f64>() / items.len() as f64
                };
                mean_over_seeds(&runs.iter().map(of_run).collect::<Vec<_>>())
            };
            let answer = mean_of(&|item| item.answer_nll_bits * LN_2);
            let correct = mean_of(&|item| 100.0 * f64::from(u8::from(item.correct)));
            let losses: Vec<f64> = runs.iter().map(|run| run.val_loss).collect();
            table.rows.push(vec![
                rung.label.clone(),
                (*block).to_owned(),
                runs.len().to_string(),
                prefixed(first.params_total as f64),
                prefixed(first.params_table as f64),
                prefixed(
                    3.0 * (first.forward_matmul_flops
                        + first.forward_attention_flops
                        + first.forward_lookup_flops),
                ),
                bytes(first.bytes_gathered),
                fixed(mean(&runs, |run| run.epochs), 1),
                interval(&answer, 3),
                interval(&mean_over_seeds(&losses), 3),
                interval(&correct, 1),
                prefixed(mean(&runs, |run| run.tokens_per_s)),
            ]);
        }
    }
    table
}

/// Differences to dense, with intervals, e-value and verdict.
pub fn differences(study: &Study, scores: &Scores) -> PlainTable {
    let verdicts = verdicts(study, &scores.suites, |_, _| true);
    of_verdicts("differences", "block - dense", &verdicts)
}

/// Differences to one block at one size and budget.
pub fn against(study: &Study, scores: &Scores, reference: BlockAtRung) -> PlainTable {
    let verdicts = verdicts_against(study, &scores.suites, reference);
    of_verdicts("against", "block - reference", &verdicts)
}

fn of_verdicts(name: &'static str, difference: &'static str, verdicts: &[Verdict]) -> PlainTable {
    let mut table = PlainTable {
        name,
        header: vec![
            "quantity",
            "size",
            "block",
            "n",
            difference,
            "CI for this n",
            "CI at any time",
            "e-value",
            "verdict",
        ],
        rows: Vec::new(),
    };
    for verdict in verdicts {
        let digits = match verdict.quantity {
            Quantity::AnswerLoss | Quantity::ValidationLoss => 3,
            Quantity::Recall | Quantity::Questions => 1,
        };
        let words = match (verdict.is_decided, verdict.is_better()) {
            (true, true) => "better",
            (true, false) => "worse",
            (false, _) => "open",
        };
        table.rows.push(vec![
            verdict.quantity.words().to_owned(),
            verdict.rung.label.clone(),
            verdict.block.to_owned(),
            verdict.differences.len().to_string(),
            fixed(verdict.fixed.value, digits),
            ends(&verdict.fixed, digits),
            ends(&verdict.anytime, digits),
            scientific(verdict.ln_e.exp()),
            words.to_owned(),
        ]);
    }
    table
}

fn ends(interval: &Interval, digits: usize) -> String {
    match interval.is_bounded() {
        true => format!(
            "[{}, {}]",
            fixed(interval.low, digits),
            fixed(interval.high, digits)
        ),
        false => "unbounded".to_owned(),
    }
}
