//! The page of `isoflop compare`: models side by side.

use maud::{Markup, html};
use results::comparison::{Comparison, Group, Quantity, QuantityKind, Unit};
use results::statistics::Interval;

use crate::ReportError;
use crate::page::document;
use crate::sections::Section;
use crate::table::Table;
use results::number::{NONE, bytes, duration, fixed, percent, prefixed, scientific, signed};

/// Anchors of the groups; further groups share one section.
const ANCHORS: [&str; 8] = [
    "group-1", "group-2", "group-3", "group-4", "group-5", "group-6", "group-7", "group-8",
];

/// One self-contained HTML page about this comparison. The same comparison gives the same bytes.
///
/// # Errors
/// When there is no finished run to show.
pub fn render_comparison(comparison: &Comparison) -> Result<String, ReportError> {
    if comparison.groups.is_empty() {
        return Err(ReportError::NothingFinished);
    }
    let mut groups = comparison.groups.iter();
    let mut sections: Vec<Section> = ANCHORS
        .iter()
        .zip(groups.by_ref())
        .map(|(id, group)| Section {
            id,
            title: title(group),
            body: body(group),
        })
        .collect();
    let rest: Vec<&Group> = groups.collect();
    if !rest.is_empty() {
        sections.push(Section {
            id: "group-others",
            title: "Further budgets".into(),
            body: html! { @for group in rest { h3 { (title(group)) } (body(group)) } },
        });
    }
    let first = &comparison.groups[0].models[0].label;
    let lede = html! {
        p.lede {
            "Models with the same budget are in one table. Differences are to the first model of each table, \
                paired "
            "by item and seed; brackets are 95\u{a0}% intervals. They are not corrected for "
            "multiple comparisons. All runs have the same FLOP convention, data, tokenizer and items."
        }
        @if !comparison.left_out.is_empty() {
            p.warning { strong { "Failed and left out: " } (comparison.left_out.join("; ")) "." }
        }
    };
    Ok(document(
        "isoflop compare",
        &format!("{first} and others"),
        &lede,
        &sections,
    ))
}

fn title(group: &Group) -> String {
    format!("At {}", group.held)
}

fn body(group: &Group) -> Markup {
    let mut table = Table::new(&group.held).text("");
    for model in &group.models {
        table = table.number(&model.label);
    }
    let mut last = None;
    for quantity in &group.quantities {
        if last.replace(quantity.kind) != Some(quantity.kind) {
            table.group();
        }
        let name = match quantity.kind {
            QuantityKind::Difference => {
                html! { (words(quantity)) " " span.gap { "minus " (group.models[0].label) } }
            }
            _ => html! { (words(quantity)) },
        };
        let cells = quantity
            .values
            .iter()
            .map(|value| cell(quantity, value.as_ref()));
        table.row(std::iter::once(name).chain(cells));
    }
    html! {
        @if group.models.len() == 1 { p.none { "No other selected model has this budget, so there is no difference." } }
        @for warning in &group.warnings { p.warning { (warning) "." } }
        (table)
        p.note {
            "Runs: "
            @for (index, model) in group.models.iter().enumerate() {
                @if index > 0 { "; " }
                (model.label) " " code { (model.run_ids().join(", ")) }
            }
            ". FLOPs: " (group.models[0].first().flop_convention)
        }
    }
}

fn words(quantity: &Quantity) -> String {
    match quantity.unit {
        Unit::FlopsPerSecond | Unit::TokensPerSecond | Unit::Nats => {
            format!("{}, {}", quantity.metric, quantity.unit.name())
        }
        _ => quantity.metric.replace('_', " "),
    }
}

fn cell(quantity: &Quantity, value: Option<&Interval>) -> Markup {
    let Some(value) = value else {
        return html! { (NONE) };
    };
    let class = quantity.is_better(value).map(|better| match better {
        true => "better",
        false => "worse",
    });
    let scored = matches!(
        quantity.kind,
        QuantityKind::Score | QuantityKind::Difference
    );
    html! {
        span.value { span class=[class] { (text(quantity, value.value)) (unit(quantity)) } }
        @if scored {
            br;
            span.gap {
                @if value.is_bounded() {
                    "[" (text(quantity, value.low)) ", " (text(quantity, value.high)) "], "
                }
                "n\u{a0}" (value.n)
            }
        }
    }
}

fn text(quantity: &Quantity, value: f64) -> String {
    let difference = quantity.kind == QuantityKind::Difference || quantity.metric == "off target";
    match quantity.unit {
        Unit::Flops | Unit::FlopsPerSecond => scientific(value),
        Unit::Tokens | Unit::TokensPerSecond | Unit::Parameters => prefixed(value),
        Unit::Bytes => bytes(value),
        Unit::Seconds => duration(value),
        Unit::Nats if difference => signed(value, 3),
        Unit::Nats => fixed(value, 3),
        Unit::Share if quantity.kind == QuantityKind::Difference => signed(value * 100.0, 1),
        Unit::Share if difference => signed(value * 100.0, 2),
        Unit::Share => percent(value),
        Unit::Plain if value.abs() < 0.1 => fixed(value, 4),
        Unit::Plain => fixed(value, 2),
    }
}

/// The unit after a value, where its text does not include it.
fn unit(quantity: &Quantity) -> &'static str {
    match (quantity.unit, quantity.kind) {
        (Unit::Share, QuantityKind::Difference) => "\u{a0}pt",
        (Unit::Share, _) => "\u{a0}%",
        _ => "",
    }
}
