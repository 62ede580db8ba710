//! The plan as text tables: costs, requirements, and solved knobs.

use experiment::devices::Layout;
use experiment::estimate::Estimate;
use experiment::matching::Matched;
use experiment::memory_need::Bytes;
use experiment::plan::Run;
use experiment::quantity::{bytes, count, duration};
use experiment::speed::Speed;
use harness::error::Error;

use super::terminal_table::{TerminalTable, terminal_table};

/// The columns of the table of solved knobs.
pub const SOLUTION: [&str; 9] = [
    "size",
    "block",
    "equal",
    "reference",
    "wanted",
    "reached",
    "off",
    "within",
    "solved with",
];

/// One run per row: parameters, cost of a token, tokens and steps.
///
/// # Errors
/// If the dense model of a run is invalid.
pub fn costs(runs: &[(&Run, Estimate)]) -> Result<TerminalTable, Error> {
    let header = [
        "size",
        "block",
        "seed",
        "dense",
        "table",
        "active",
        "forward",
        "training",
        "vs dense",
        "bytes",
        "tokens",
        "steps",
        "FLOP",
        "off target",
    ];
    let mut rows = Vec::with_capacity(runs.len());
    for (run, _) in runs {
        let (label, cost, budget) = (&run.label, &run.cost, &run.budget);
        rows.push(vec![
            label.size.clone(),
            label.block.clone(),
            label.seed.to_string(),
            count(cost.params_dense as f64),
            nonzero(cost.params_table).map_or_else(none, |table| count(table as f64)),
            count(cost.params_active as f64),
            count(cost.forward() as f64),
            count(cost.training() as f64),
            format!("{:.3}", run.flops_relative_to_dense()?),
            nonzero(cost.bytes_gathered).map_or_else(none, bytes),
            count(budget.tokens as f64),
            budget.steps.to_string(),
            count(budget.train_flops),
            format!("{:+.2} %", 100.0 * budget.deviation()),
        ]);
    }
    Ok(terminal_table(&header, 2, rows))
}

/// One model per row, for all its seeds: memory, devices, time, and the cost if there is a price.
pub fn needs(runs: &[(&Run, Estimate)]) -> TerminalTable {
    let priced = runs.iter().any(|(_, estimate)| estimate.cost.is_some());
    let mut header = vec![
        "size",
        "block",
        "weights",
        "gradients",
        "optimizer",
        "table",
        "table grad.",
        "activations",
        "peak",
        "devices",
        "columns",
        "device-h",
        "time",
    ];
    if priced {
        header.push("cost");
    }
    let mut models = Vec::new();
    let rows = runs.iter().filter_map(|(run, estimate)| {
        let model = (&run.label.size, &run.label.block);
        if models.contains(&model) {
            return None;
        }
        models.push(model);
        let mut row = need(run, estimate);
        row.extend(estimate.cost.map(count));
        Some(row)
    });
    let rows = rows.collect();
    terminal_table(&header, 2, rows)
}

fn need(run: &Run, estimate: &Estimate) -> Vec<String> {
    let (need, devices) = (&estimate.need, estimate.devices);
    let columns = devices.and_then(|devices| devices.columns);
    let time = estimate.seconds.map_or_else(none, duration);
    vec![
        run.label.size.clone(),
        run.label.block.clone(),
        bytes(need.weights),
        bytes(need.gradients),
        bytes(need.optimizer),
        nonzero(need.table).map_or_else(none, bytes),
        nonzero(need.table_gradient).map_or_else(none, bytes),
        bytes(need.activations),
        bytes(need.total()),
        devices.map_or_else(none, |devices| match devices.layout {
            Layout::Replicated => devices.count.to_string(),
            Layout::Sharded => format!("{} sharded", devices.count),
        }),
        columns.map_or_else(none, |columns| columns.to_string()),
        hours(estimate.device_hours),
        match estimate.speed {
            Speed::Assumed(_) => format!("~ {time}"),
            _ => time,
        },
    ]
}

/// For each model that does not fit one device of `memory` bytes with its own settings, a line that says with which it does.
pub fn fits(runs: &[(&Run, Estimate)], memory: Bytes) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (run, estimate) in runs {
        if estimate.need.total() <= memory {
            continue;
        }
        let (label, device) = (&run.label, bytes(memory));
        let fits = match estimate.fitting {
            Some(division) => format!(
                "fits one of {device} with accumulate = {}, recompute = {}",
                division.accumulate, division.recompute
            ),
            None => format!("fits one of {device} with no accumulate and recompute"),
        };
        let line = format!("{} {}: {fits}", label.size, label.block);
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    lines
}

/// One solved model per row; `None` if no block has free knobs.
pub fn solved(runs: &[(&Run, Estimate)]) -> Option<TerminalTable> {
    let mut seen = Vec::new();
    let mut rows = Vec::new();
    for (run, _) in runs {
        let Some(matched) = run.solved() else {
            continue;
        };
        let model = (&run.label.size, &run.label.block);
        if !seen.contains(&model) {
            seen.push(model);
            let labels = [run.label.size.clone(), run.label.block.clone()];
            rows.push([&labels[..], &solution(matched)].concat());
        }
    }
    (!rows.is_empty()).then(|| terminal_table(&SOLUTION, SOLUTION.len(), rows))
}

/// The columns of [`SOLUTION`] after the labels.
pub fn solution(matched: &Matched) -> Vec<String> {
    vec![
        matched.target.clone(),
        matched.reference.clone(),
        count(matched.wanted),
        count(matched.reached),
        format!("{:+.2} %", 100.0 * matched.deviation()),
        format!("{} %", (1e6 * matched.tolerance).round() / 1e4),
        matched.knobs.clone(),
    ]
}

fn nonzero(value: u64) -> Option<u64> {
    (value > 0).then_some(value)
}

fn none() -> String {
    "-".to_owned()
}

/// Device-hours; `< 0.01` if they would round to 0.00.
fn hours(hours: f64) -> String {
    match hours {
        few if few < 0.005 => "< 0.01".to_owned(),
        hours => count(hours),
    }
}
