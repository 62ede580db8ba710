//! Throughput and bytes against table size and against model size.

use results::ProbeRow;

use results::study::probe_groups::ProbeGroup;

use super::words::{look, words};
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{bytes, prefixed};

/// Throughput of measured layers against slots, a panel for each size that has tables of several sizes.
pub fn by_table(group: &ProbeGroup) -> Option<Figure> {
    let phase = group.phase("measured");
    let mut data = Table::new("Throughput by slots")
        .text("Block")
        .text("Size")
        .number("Slots")
        .number("Tokens/s")
        .number("Low")
        .number("High");
    let mut panels = Vec::new();
    for size in &group.sizes {
        let mut series = Vec::new();
        for block in &group.blocks {
            let mut rows: Vec<&ProbeRow> = group
                .of("measured", phase)
                .filter(|row| row.size == *size && row.block == *block && row.table_slots > 0)
                .collect();
            rows.sort_by_key(|row| row.table_slots);
            for row in &rows {
                let (low, high) = span(row);
                data.row([
                    row.block.clone(),
                    row.size.clone(),
                    row.table_slots.to_string(),
                    prefixed(row.tokens_per_s),
                    prefixed(low),
                    prefixed(high),
                ]);
            }
            let points = rows.iter().map(|row| Point {
                x: row.table_slots as f64,
                y: row.tokens_per_s,
                range: None,
            });
            series.push(Series::new(block, look(group, block), points.collect()));
        }
        if series.iter().any(|line| line.points.len() > 1) {
            panels.push(chart(size, "slots of the table", "tokens/s", series));
        }
    }
    (!panels.is_empty()).then(|| Figure {
        id: format!("figure-probe-table-{}", group.index),
        caption: format!(
            "Measured: tokens per second of one block ({}) against slots of its table, median of the passes. Low \
                and high in \
             the data are the slowest and fastest pass.",
            words(phase)
        ),
        panels,
        data,
    })
}

/// Throughput by the slowest and by the fastest pass.
fn span(row: &ProbeRow) -> (f64, f64) {
    let of = |seconds: f64| row.tokens as f64 / seconds;
    (of(row.seconds_high), of(row.seconds_low))
}

fn chart(title: &str, across: &str, up: &str, series: Vec<Series>) -> Chart {
    let all = || series.iter().flat_map(|line| &line.points);
    let (x, y) = (
        Axis::log(across, all().map(|p| p.x)),
        Axis::log(up, all().map(|p| p.y)),
    );
    Chart::new(title, x, y, series)
}

/// Throughput and bytes of measured layers against model size, each with its smallest table.
pub fn by_size(group: &ProbeGroup) -> Option<Figure> {
    let phase = group.phase("measured");
    let mut data = table("Layers by size");
    let rows = smallest(group, "measured", phase, &mut data);
    let panels = vec![
        against_size(
            group,
            &rows,
            "Throughput of one part",
            "tokens/s",
            Style::Joined,
            |row| row.tokens_per_s,
        ),
        against_size(
            group,
            &rows,
            "Traffic of one part",
            "bytes per token, by formula",
            Style::Hollow,
            |row| row.bytes,
        ),
        against_size(
            group,
            &rows,
            "Rate of that traffic",
            "bytes/s",
            Style::Joined,
            |row| row.bytes_per_s,
        ),
    ];
    (!rows.is_empty()).then(|| Figure {
        id: format!("figure-probe-size-{}", group.index),
        caption: format!(
            "One part ({}) against the size it belongs to, each block with the smallest table probed. Throughput \
                was measured. \
             Bytes are counted by formula: weights, table rows and optimizer state read and written. Their rate is \
             those bytes over \
             measured time.",
            words(phase)
        ),
        panels,
        data,
    })
}

/// Throughput of whole models, derived from their layers.
pub fn models(group: &ProbeGroup) -> Option<Figure> {
    let phase = group.phase("derived");
    let mut data = table("Models by size");
    let rows = smallest(group, "derived", phase, &mut data);
    let panels = vec![
        against_size(
            group,
            &rows,
            "Throughput of the model",
            "tokens/s, derived",
            Style::Hollow,
            |row| row.tokens_per_s,
        ),
        against_size(
            group,
            &rows,
            "Traffic of the model",
            "bytes per token, by formula",
            Style::Hollow,
            |row| row.bytes,
        ),
    ];
    (!rows.is_empty()).then(|| Figure {
        id: format!("figure-probe-model-{}", group.index),
        caption: format!(
            "Derived, not measured: whole models ({}) put together from layers that were measured. No model of \
                these sizes ran here.",
            words(phase)
        ),
        panels,
        data,
    })
}

fn table(label: &str) -> Table {
    Table::new(label)
        .text("Block")
        .text("Size")
        .number("Slots")
        .number("Tokens/s")
        .number("Bytes/token")
        .number("Bytes/s")
}

/// The rows with the smallest table of each size and block, listed in `data`.
fn smallest<'a>(
    group: &ProbeGroup<'a>,
    basis: &str,
    phase: &str,
    data: &mut Table,
) -> Vec<&'a ProbeRow> {
    let rows = group.smallest_tables(basis, phase);
    for rows in rows.chunk_by(|a, b| a.size == b.size) {
        data.group();
        for row in rows {
            data.row([
                row.block.clone(),
                row.size.clone(),
                row.table_slots.to_string(),
                prefixed(row.tokens_per_s),
                bytes(row.bytes),
                format!("{}/s", bytes(row.bytes_per_s)),
            ]);
        }
    }
    rows
}

fn against_size(
    group: &ProbeGroup,
    rows: &[&ProbeRow],
    title: &str,
    label: &str,
    style: Style,
    of: impl Fn(&ProbeRow) -> f64,
) -> Chart {
    let series: Vec<Series> = group
        .blocks
        .iter()
        .map(|block| {
            let own = rows.iter().filter(|row| row.block == *block);
            let points = own.filter_map(|row| {
                let index = group.sizes.iter().position(|size| *size == row.size)?;
                let y = of(row);
                (y.is_finite() && y > 0.0).then_some(Point {
                    x: index as f64,
                    y,
                    range: None,
                })
            });
            Series::new(block, look(group, block), points.collect()).styled(style)
        })
        .collect();
    let ys: Vec<f64> = series
        .iter()
        .flat_map(|line| &line.points)
        .map(|p| p.y)
        .collect();
    let x = Axis::categories("size", &group.sizes);
    Chart::new(title, x, Axis::log(label, ys.into_iter()), series)
}
