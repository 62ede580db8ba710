//! The roofline: achieved FLOP/s against FLOPs per byte, under what the device reached on plain work.
//!
//! S. Williams, A. Waterman and D. Patterson, "Roofline: an insightful visual performance model for multicore
//! architectures", CACM 52 (2009).

use results::ProbeRow;

use super::group::ProbeGroup;
use crate::axis::Axis;
use crate::chart::{Chart, Guide, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{bytes, fixed, percent, scientific};

/// The roof of a device, and every measured layer under it.
pub fn figure(group: &ProbeGroup) -> Option<Figure> {
    let rows: Vec<&ProbeRow> = ["forward", "step"]
        .iter()
        .flat_map(|phase| group.of("measured", phase))
        .filter(|row| intensity(row).is_finite() && row.flop_per_s > 0.0)
        .collect();
    let most = |of: fn(&ProbeRow) -> f64| {
        let values = group.rows.iter().map(|row| of(row));
        values.filter(|value| value.is_finite()).fold(0.0, f64::max)
    };
    let (peak, stream) = (
        most(|row| row.peak_flop_per_s),
        most(|row| row.peak_bytes_per_s),
    );
    if rows.is_empty() || peak <= 0.0 || stream <= 0.0 {
        return None;
    }
    let mut data = Table::new("Layers under the roof")
        .text("Block")
        .text("Size")
        .number("Slots")
        .text("Phase")
        .number("FLOPs/byte")
        .number("FLOP/s")
        .number("Of the roof there, %");
    for row in &rows {
        let roof = peak.min(intensity(row) * stream);
        data.row([
            row.block.clone(),
            row.size.clone(),
            row.table_slots.to_string(),
            row.phase.clone(),
            fixed(intensity(row), 2),
            scientific(row.flop_per_s),
            percent(row.flop_per_s / roof),
        ]);
    }
    let panels: Vec<Chart> = ["forward", "step"]
        .iter()
        .filter_map(|phase| panel(group, phase, &rows, (peak, stream)))
        .collect();
    (!panels.is_empty()).then(|| Figure {
        id: format!("figure-roofline-{}", group.index),
        caption: format!(
            "Measured layers under the roof of this device: {} FLOP/s of its fastest matrix product and {}/s of its \
                fastest sequential \
             read, both measured in the same sessions as the layers (of several sessions the highest). Bytes are \
             counted by formula, \
             so a layer whose data stay in cache may stand above the sloped part.",
            scientific(peak),
            bytes(stream)
        ),
        panels,
        data,
    })
}

/// FLOPs per byte.
fn intensity(row: &ProbeRow) -> f64 {
    row.flops / row.bytes
}

fn panel(
    group: &ProbeGroup,
    phase: &str,
    rows: &[&ProbeRow],
    (peak, stream): (f64, f64),
) -> Option<Chart> {
    let series: Vec<Series> = group
        .blocks
        .iter()
        .map(|block| {
            let own = rows
                .iter()
                .filter(|row| row.block == *block && row.phase == phase);
            let points = own.map(|row| Point {
                x: intensity(row),
                y: row.flop_per_s,
                range: None,
            });
            Series::new(block, group.look(block), points.collect()).styled(Style::Apart)
        })
        .collect();
    let points: Vec<Point> = series.iter().flat_map(|line| line.points.clone()).collect();
    if points.is_empty() {
        return None;
    }
    let ridge = peak / stream;
    let least = points.iter().map(|point| point.x).fold(ridge, f64::min) / 2.0;
    let largest = points.iter().map(|point| point.x).fold(ridge, f64::max) * 2.0;
    let roof = vec![(least, least * stream), (ridge, peak), (largest, peak)];
    let x = Axis::log("FLOPs per byte", [least, largest].into_iter());
    let ys = points
        .iter()
        .map(|point| point.y)
        .chain([peak, least * stream]);
    let y = Axis::log("FLOP/s", ys.collect::<Vec<_>>().into_iter());
    Some(Chart {
        guides: vec![Guide {
            look: None,
            path: roof,
            dashed: false,
        }],
        ..Chart::new(super::group::words(phase), x, y, series)
    })
}
