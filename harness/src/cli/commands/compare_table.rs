//! A comparison as text: a table per budget, a column per model.

use experiment::quantity::{bytes, count, duration};
use results::comparison::{Comparison, Group, Quantity, QuantityKind, Unit};
use results::statistics::Interval;

use super::terminal_table::{TerminalTable, terminal_table};

/// All groups with their notes, and the runs that are excluded.
pub fn text(comparison: &Comparison) -> String {
    let mut lines = Vec::new();
    for (index, group) in comparison.groups.iter().enumerate() {
        if index > 0 {
            lines.push(String::new());
        }
        let held = &group.held;
        lines.push(format!(
            "held equal: {held}; 95 % confidence intervals in brackets"
        ));
        lines.push(table(group).to_string());
        if group.models.len() == 1 {
            lines.push("no other selected model has this budget: no differences".to_owned());
        }
        let notes = group.warnings.iter();
        lines.extend(notes.map(|warning| format!("note: {warning}")));
    }
    let excluded = comparison.left_out.iter();
    lines.extend(excluded.map(|run| format!("excluded, failed: {run}")));
    lines.join("\n")
}

fn table(group: &Group) -> TerminalTable {
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
        let values =
            values.map(|value| value.map_or("-".to_owned(), |value| value_text(quantity, &value)));
        rows.push(std::iter::once(label(quantity)).chain(values).collect());
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

/// The metric, with the numbers of items or seeds of its intervals.
fn label(quantity: &Quantity) -> String {
    let mut counts: Vec<u64> = quantity
        .values
        .iter()
        .flatten()
        .map(|value| value.n)
        .collect();
    counts.sort_unstable();
    counts.dedup();
    let metric = match quantity.unit {
        Unit::FlopsPerSecond | Unit::TokensPerSecond | Unit::Nats => {
            format!("{}, {}", quantity.metric, quantity.unit.name())
        }
        _ => quantity.metric.replace('_', " "),
    };
    match (quantity.kind, counts.as_slice()) {
        (QuantityKind::Score | QuantityKind::Difference, [n]) => format!("{metric}, n {n}"),
        (QuantityKind::Score | QuantityKind::Difference, [least, .., most]) => {
            format!("{metric}, n {least} to {most}")
        }
        _ => metric,
    }
}

fn value_text(quantity: &Quantity, value: &Interval) -> String {
    let text = |number: f64| number_text(quantity, number);
    match value.is_bounded() {
        true => format!(
            "{} [{}, {}]",
            text(value.value),
            number(quantity, value.low),
            number(quantity, value.high)
        ),
        false => text(value.value),
    }
}

/// A number with its unit if it is a share.
fn number_text(quantity: &Quantity, value: f64) -> String {
    let number = number(quantity, value);
    match (quantity.unit, quantity.kind) {
        (Unit::Share, QuantityKind::Difference) => format!("{number} pt"),
        (Unit::Share, _) => format!("{number} %"),
        _ => number,
    }
}

/// A number in the precision of its unit.
fn number(quantity: &Quantity, value: f64) -> String {
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
