//! The roofline: achieved FLOP/s against FLOPs per byte, under the rates that the device reached in microbenchmarks.

use results::ProbeRow;

use results::study::probe_groups::{ProbeGroup, Roofline, intensity};

use super::words::{look, words};
use crate::axis::Axis;
use crate::chart::{Chart, Guide, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{bytes, fixed, percent, scientific};

/// The roofline of a device, and every measured layer.
pub fn figure(group: &ProbeGroup) -> Option<Figure> {
    let roofline = group.roofline()?;
    let rows = group.under_roofline();
    if rows.is_empty() {
        return None;
    }
    let mut data = Table::new("Layers under the roofline")
        .text("Block")
        .text("Size")
        .number("Slots")
        .text("Phase")
        .number("FLOPs/byte")
        .number("FLOP/s")
        .number("Share of the roofline, %");
    for row in &rows {
        data.row([
            row.block.clone(),
            row.size.clone(),
            row.table_slots.to_string(),
            row.phase.clone(),
            fixed(intensity(row), 2),
            scientific(row.flop_per_s),
            percent(row.flop_per_s / roofline.at(intensity(row))),
        ]);
    }
    let panels: Vec<Chart> = ["forward", "step"]
        .iter()
        .filter_map(|phase| panel(group, phase, &rows, &roofline))
        .collect();
    (!panels.is_empty()).then(|| Figure {
        id: format!("figure-roofline-{}", group.index),
        caption: format!(
            "Measured layers under the roofline of this device: {} FLOP/s of its fastest matrix product and {}/s of its \
                fastest sequential \
             read, both measured in the same sessions as the layers (of several sessions the highest). Bytes are \
             counted by formula, \
             so that a layer whose data stay in cache can be above the sloped part.",
            scientific(roofline.peak_flop_per_s),
            bytes(roofline.peak_bytes_per_s)
        ),
        panels,
        data,
    })
}

fn panel(
    group: &ProbeGroup,
    phase: &str,
    rows: &[&ProbeRow],
    roofline: &Roofline,
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
            Series::new(block, look(group, block), points.collect()).styled(Style::Apart)
        })
        .collect();
    let points: Vec<Point> = series.iter().flat_map(|line| line.points.clone()).collect();
    if points.is_empty() {
        return None;
    }
    let (peak, stream) = (roofline.peak_flop_per_s, roofline.peak_bytes_per_s);
    let ridge = roofline.ridge();
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
        ..Chart::new(words(phase), x, y, series)
    })
}
