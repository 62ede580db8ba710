//! Accuracy against the size of the value table: measured here, and published, in separate figures.

mod reported;

use maud::{Markup, html};
use results::published::MEMORY_LAYERS;

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{percent, prefixed};
use results::study::scores::Suite;
use results::study::table_size::{SlotAccuracy, SlotCurve, accuracy_by_slots};
use results::study::{Measure, Study};

pub fn body(study: &Study, suites: &[Suite]) -> Result<Markup, ReportError> {
    Ok(html! {
        h3 { "Measured here" }
        @match measured(study, suites) {
            Some(figure) => (figure.render()?),
            None => p.none { "No block with slots was scored on facts." },
        }
        h3 { "Published: figure 1 of " (MEMORY_LAYERS) }
        (reported::figure().render()?)
    })
}

/// A number of slots: as the square of the number of half-keys where it is one.
fn name(slots: u64) -> String {
    let half = slots.isqrt();
    match slots {
        0 => "none".into(),
        _ if half * half == slots => format!("{half}²"),
        _ => prefixed(slots as f64),
    }
}

fn measured(study: &Study, suites: &[Suite]) -> Option<Figure> {
    let mut data = Table::new("Accuracy by slots")
        .text("Kind")
        .text("Block")
        .text("Size")
        .number("Slots")
        .number("Accuracy, %")
        .number("Low")
        .number("High")
        .number("Items");
    let kinds = [
        ("Questions", "questions", Measure::Questions),
        ("Recall", "recall", Measure::Recall),
    ];
    let panels: Vec<Chart> = kinds
        .iter()
        .map(|(title, kind, measure)| (title, kind, measure.suites(suites)))
        .filter(|(.., suites)| !suites.is_empty())
        .filter_map(|(title, kind, suites)| {
            let (listed, curves) = accuracy_by_slots(study, &suites);
            for of in listed {
                let accuracy = of.at.accuracy;
                data.row([
                    (*kind).to_owned(),
                    of.block.to_owned(),
                    of.rung.label.clone(),
                    of.at.slots.to_string(),
                    percent(accuracy.value),
                    percent(accuracy.low),
                    percent(accuracy.high),
                    accuracy.n.to_string(),
                ]);
            }
            panel(study, title, &curves)
        })
        .collect();
    (!panels.is_empty()).then(|| Figure {
        id: "figure-memory-size".into(),
        caption: "Share of right answers on all suites of facts together against slots of the value table. A line \
            joins \
            runs of one width, depth and budget, from the dense decoder, which has no slots. Points \
            without a line between them are of different sizes: they differ in the whole model, not in the table alone. \
            Bars \
            are 95 % intervals."
            .into(),
        panels,
        data,
    })
}

fn panel(study: &Study, title: &str, curves: &[SlotCurve]) -> Option<Chart> {
    let mut slots: Vec<u64> = curves
        .iter()
        .flat_map(|curve| &curve.points)
        .map(|point| point.slots)
        .collect();
    slots.sort_unstable();
    slots.dedup();
    let names: Vec<String> = slots.iter().map(|slots| name(*slots)).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let series: Vec<Series> = curves
        .iter()
        .map(|curve| {
            let point = |at: &SlotAccuracy| Point {
                x: slots.binary_search(&at.slots).unwrap_or(0) as f64,
                y: at.accuracy.value * 100.0,
                range: at
                    .accuracy
                    .is_bounded()
                    .then_some((at.accuracy.low * 100.0, at.accuracy.high * 100.0)),
            };
            let look = study.blocks.iter().position(|block| *block == curve.block);
            let points = curve.points.iter().map(point).collect();
            Series::new(curve.block, look.unwrap_or(0), points)
        })
        .collect();
    let tops = series
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.range.map_or(point.y, |(_, high)| high));
    let y = Axis::from_zero("right answers, %", tops);
    (!series.is_empty()).then(|| Chart::new(title, Axis::categories("slots", &names), y, series))
}
