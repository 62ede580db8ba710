//! A comparison on the terminal: a table for each budget, a column for each model.

use experiment::quantity::{bytes, count, duration};
use results::comparison::{Comparison, Group, Quantity, QuantityKind, Unit};
use results::statistics::Interval;

use super::terminal_table::terminal_table;

/// Prints all groups, and below each what disturbs it.
pub fn print(comparison: &Comparison) {
    for (index, group) in comparison.groups.iter().enumerate() {
        if index > 0 {
            println!();
        }
        println!(
            "held equal: {}; 95 % confidence intervals in brackets",
            group.held
        );
        println!("{}", table(group));
        if group.models.len() == 1 {
            println!("nothing else that was named had this budget: no difference");
        }
        for warning in &group.warnings {
            println!("note: {warning}");
        }
    }
    for run in &comparison.left_out {
        println!("left out, failed: {run}");
    }
}

fn table(group: &Group) -> comfy_table::Table {
    let labels = group.models.iter().map(|model| match model.runs.len() {
        1 => model.label.clone(),
        seeds => format!("{} ({seeds} seeds)", model.label),
    });
    let header: Vec<String> = std::iter::once(String::new()).chain(labels).collect();
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut rows = Vec::new();
    let mut last = None;
    for quantity in &group.quantities {
        if last.replace(quantity.kind) != Some(quantity.kind) {
            let mut heading = vec![heading(quantity.kind, &group.models[0].label)];
            heading.resize(header.len(), String::new());
            rows.push(heading);
        }
        let values = quantity.values.iter();
        let cells =
            values.map(|value| value.map_or("-".to_owned(), |value| cell(quantity, &value)));
        rows.push(std::iter::once(label(quantity)).chain(cells).collect());
    }
    terminal_table(&header, 1, rows)
}

fn heading(kind: QuantityKind, first: &str) -> String {
    match kind {
        QuantityKind::Matching => "MATCHING".to_owned(),
        QuantityKind::Cost => "COST, by formula".to_owned(),
        QuantityKind::Speed => "SPEED, on this device".to_owned(),
        QuantityKind::Score => "SCORES".to_owned(),
        QuantityKind::Difference => format!("LESS {first}, paired"),
    }
}

/// The metric, with the items or seeds behind it where it has an interval.
fn label(quantity: &Quantity) -> String {
    let mut behind: Vec<u64> = quantity
        .values
        .iter()
        .flatten()
        .map(|value| value.n)
        .collect();
    behind.sort_unstable();
    behind.dedup();
    let metric = match quantity.unit {
        Unit::FlopsPerSecond | Unit::TokensPerSecond | Unit::Nats => {
            format!("{}, {}", quantity.metric, quantity.unit.name())
        }
        _ => quantity.metric.replace('_', " "),
    };
    match (quantity.kind, behind.as_slice()) {
        (QuantityKind::Score | QuantityKind::Difference, [n]) => format!("{metric}, n {n}"),
        (QuantityKind::Score | QuantityKind::Difference, [least, .., most]) => {
            format!("{metric}, n {least} to {most}")
        }
        _ => metric,
    }
}

fn cell(quantity: &Quantity, value: &Interval) -> String {
    let text = |number: f64| number_text(quantity, number);
    match value.is_bounded() {
        true => format!(
            "{} [{}, {}]",
            text(value.value),
            bare(quantity, value.low),
            bare(quantity, value.high)
        ),
        false => text(value.value),
    }
}

fn number_text(quantity: &Quantity, value: f64) -> String {
    let bare = bare(quantity, value);
    match (quantity.unit, quantity.kind) {
        (Unit::Share, QuantityKind::Difference) => format!("{bare} pt"),
        (Unit::Share, _) => format!("{bare} %"),
        _ => bare,
    }
}

fn bare(quantity: &Quantity, value: f64) -> String {
    let signed = quantity.kind == QuantityKind::Difference || quantity.metric == "off target";
    match quantity.unit {
        Unit::Flops | Unit::FlopsPerSecond => format!("{value:.3e}"),
        Unit::Tokens | Unit::TokensPerSecond | Unit::Parameters => count(value),
        Unit::Bytes => bytes(value as u64),
        Unit::Seconds => duration(value),
        Unit::Nats if signed => format!("{value:+.3}"),
        Unit::Nats => format!("{value:.3}"),
        Unit::Share if signed => format!("{:+.1}", 100.0 * value),
        Unit::Share => format!("{:.1}", 100.0 * value),
        Unit::Plain if value.abs() < 0.1 => format!("{value:.4}"),
        Unit::Plain => format!("{value:.2}"),
    }
}
