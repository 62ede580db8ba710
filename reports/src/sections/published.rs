//! Published numbers, table by table.

use maud::{Markup, html};
use results::published::{PublishedRow, published};

use crate::table::Table;
use results::number::{NONE, prefixed};

pub fn body() -> Markup {
    // Rows come table by table.
    let tables = published().chunk_by(|a, b| a.source == b.source && a.table == b.table);
    html! {
        p {
            "Nothing in this section was measured here. No table was read from a paper's own PDF: each states how its \
                numbers were obtained. A dash is a "
            "number that could not be recovered, or that is not in the source."
        }
        @for rows in tables {
            details {
                summary { (rows[0].source) ", " (rows[0].table) " (" (marks(rows)) ")" }
                (table(rows))
                @for note in notes(rows) { p.note { (note) } }
            }
        }
    }
}

fn marks(rows: &[PublishedRow]) -> String {
    distinct(rows.iter().map(|row| row.mark.to_string())).join("; ")
}

/// Notes, each once, with their row where they are not about the whole table.
fn notes(rows: &[PublishedRow]) -> Vec<String> {
    distinct(rows.iter().filter(|row| !row.note.is_empty()).map(|row| {
        match rows.iter().all(|other| other.note == row.note) {
            true => format!("All rows: {}.", row.note),
            false => format!("{} {} {}: {}.", row.size, row.model, row.variant, row.note),
        }
    }))
}

fn distinct(values: impl Iterator<Item = String>) -> Vec<String> {
    let mut once: Vec<String> = Vec::new();
    for value in values {
        if !once.contains(&value) {
            once.push(value);
        }
    }
    once
}

/// One line for each model, a column for each metric.
fn table(rows: &[PublishedRow]) -> Table {
    let metrics = distinct(rows.iter().map(|row| row.metric.clone()));
    let mut table = Table::new(&rows[0].table)
        .text("Model")
        .text("Size")
        .number("Parameters")
        .number("Slots")
        .number("Tokens");
    for metric in &metrics {
        let unit = rows
            .iter()
            .find(|row| row.metric == *metric)
            .map_or("", |row| &row.unit);
        table = table.number(&format!("{metric}, {unit}"));
    }
    let mut models: Vec<&PublishedRow> = Vec::new();
    for row in rows {
        if !models.iter().any(|other| same(other, row)) {
            models.push(row);
        }
    }
    for model in models {
        let count = |value: Option<f64>| value.map_or(NONE.into(), prefixed);
        let head = [
            format!("{} {}", model.model, model.variant),
            model.size.clone(),
            count(model.params),
            match model.memory_slots {
                Some(0) | None => NONE.into(),
                Some(slots) => prefixed(slots as f64),
            },
            count(model.tokens),
        ];
        let cells = metrics.iter().map(|metric| {
            let row = rows
                .iter()
                .find(|row| row.metric == *metric && same(row, model));
            row.map_or(NONE.into(), |row| match row.uncertainty {
                Some(off) => format!("{} ± {off}", row.value),
                None => row.value.to_string(),
            })
        });
        table.row(head.into_iter().chain(cells));
    }
    table
}

fn same(a: &PublishedRow, b: &PublishedRow) -> bool {
    (&a.size, &a.model, &a.variant, a.memory_slots)
        == (&b.size, &b.model, &b.variant, b.memory_slots)
        && a.tokens == b.tokens
}
