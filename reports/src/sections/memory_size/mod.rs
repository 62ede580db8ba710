//! Accuracy against the size of the value table: measured here, and published, each in axes of its own.

mod reported;

use maud::{Markup, html};
use results::RunRow;
use results::published::MEMORY_LAYERS;

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{percent, prefixed};
use results::study::block_order::REFERENCE;
use results::study::scores::{self, Suite};
use results::study::{Rung, Study};

pub fn body(study: &Study, suites: &[Suite]) -> Result<Markup, ReportError> {
    Ok(html! {
        h3 { "Measured here" }
        @match measured(study, suites) {
            Some(figure) => (figure.render()?),
            None => p.none { "No block with slots was scored on facts, so there is nothing measured to show." },
        }
        h3 { "Published: figure 1 of " (MEMORY_LAYERS) }
        (reported::figure().render()?)
    })
}

/// Slots of a run's value tables, from its use of them; none where it has no slots.
fn slots(study: &Study, run: &RunRow) -> Option<u64> {
    let usage = study.frames.usage().iter();
    usage
        .filter(|row| row.run == run.run && row.unit == "slot")
        .map(|row| row.units)
        .max()
}

/// One place on the horizontal axis: dense, or a number of slots.
struct TableSize {
    slots: u64,
    name: String,
}

/// Width, layers and bits of the budget: what sizes that differ in their tables alone share.
type Shape = (u64, u64, u64);

/// Slots as a reader knows them: the square of the half-keys.
fn name(slots: u64) -> String {
    let half = slots.isqrt();
    match slots {
        0 => "none".into(),
        _ if half * half == slots => format!("{half}²"),
        _ => prefixed(slots as f64),
    }
}

/// What a rung has of a block: slots, and the accuracy with its interval, in percent.
type SlotsAndAccuracy = (u64, results::statistics::Interval);

fn measured(study: &Study, suites: &[Suite]) -> Option<Figure> {
    let blocks: Vec<(usize, &str)> = study
        .blocks
        .iter()
        .copied()
        .enumerate()
        .filter(|(_, block)| {
            let mut runs = study.frames.runs().iter().filter(|run| run.block == *block);
            runs.any(|run| slots(study, run).is_some())
        })
        .collect();
    let mut data = Table::new("Accuracy by slots")
        .text("Asked")
        .text("Block")
        .text("Size")
        .number("Slots")
        .number("Accuracy, %")
        .number("Low")
        .number("High")
        .number("Items");
    let asked = |recall: bool| -> Vec<&Suite> {
        let facts = suites.iter().filter(|suite| suite.metric == "exact_match");
        facts.filter(|suite| suite.is_recall() == recall).collect()
    };
    let panels: Vec<Chart> = [("Questions", asked(false)), ("Recall", asked(true))]
        .iter()
        .filter(|(_, asked)| !asked.is_empty())
        .filter_map(|(title, asked)| panel(study, title, asked, &blocks, &mut data))
        .collect();
    (!panels.is_empty()).then(|| Figure {
        id: "figure-memory-size".into(),
        caption: "Share of right answers on all suites of facts together against slots of the value table. A line \
            joins what \
            ran at one width, depth and budget, from the dense decoder, which has no slots, to its tables. Points \
            that no line joins are of different sizes: between them the whole model changes, not the table alone. \
            Bars \
            are 95 % intervals."
            .into(),
        panels,
        data,
    })
}

fn panel(
    study: &Study,
    title: &str,
    asked: &[&Suite],
    blocks: &[(usize, &str)],
    data: &mut Table,
) -> Option<Chart> {
    // Sizes may differ in their tables alone: what they share is shape and budget.
    let mut lines: Vec<(usize, &str, Shape, Vec<SlotsAndAccuracy>)> = Vec::new();
    for rung in &study.rungs {
        let dense = reached(study, asked, REFERENCE, rung, data);
        for (look, block) in blocks {
            let Some(run) = study.finished(block, rung).first().copied() else {
                continue;
            };
            let shape = (run.d_model, run.n_layers, rung.flops.to_bits());
            let found = reached(study, asked, block, rung, data);
            let same = |line: &&mut (usize, &str, Shape, Vec<SlotsAndAccuracy>)| {
                line.0 == *look && line.2 == shape
            };
            match lines.iter_mut().find(same) {
                Some(line) => line.3.extend(found),
                None if found.is_empty() => {}
                None => lines.push((
                    *look,
                    block,
                    shape,
                    dense.iter().copied().chain(found).collect(),
                )),
            }
        }
    }
    for (.., line) in &mut lines {
        line.sort_by_key(|(slots, _)| *slots);
    }
    let mut places: Vec<TableSize> = Vec::new();
    for (slots, _) in lines.iter().flat_map(|(.., line)| line) {
        if places.iter().all(|place| place.slots != *slots) {
            places.push(TableSize {
                slots: *slots,
                name: name(*slots),
            });
        }
    }
    places.sort_by_key(|place| place.slots);
    let names: Vec<&str> = places.iter().map(|place| place.name.as_str()).collect();
    let series: Vec<Series> = lines
        .iter()
        .map(|(look, block, _, line)| {
            let point = |(slots, accuracy): &SlotsAndAccuracy| Point {
                x: places
                    .iter()
                    .position(|place| place.slots == *slots)
                    .unwrap_or(0) as f64,
                y: accuracy.value * 100.0,
                range: accuracy
                    .is_bounded()
                    .then_some((accuracy.low * 100.0, accuracy.high * 100.0)),
            };
            Series::new(block, *look, line.iter().map(point).collect())
        })
        .collect();
    let tops = series
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.range.map_or(point.y, |(_, high)| high));
    let y = Axis::from_zero("right answers, %", tops);
    (!series.is_empty()).then(|| Chart::new(title, Axis::categories("slots", &names), y, series))
}

/// The accuracy of a block on a rung at each number of slots that it had there.
fn reached(
    study: &Study,
    asked: &[&Suite],
    block: &str,
    rung: &Rung,
    data: &mut Table,
) -> Vec<SlotsAndAccuracy> {
    let runs = study.finished(block, rung);
    let Ok(Some(entry)) = scores::block_score(study, asked, block, rung) else {
        return Vec::new();
    };
    let mut counts: Vec<u64> = runs
        .iter()
        .map(|run| slots(study, run).unwrap_or(0))
        .collect();
    counts.sort_unstable();
    counts.dedup();
    // Seeds of one block and size share their table; were they to differ, their mean would belong to no size of table.
    let [slots] = counts.as_slice() else {
        return Vec::new();
    };
    let kind = if asked.iter().any(|suite| suite.is_recall()) {
        "recall"
    } else {
        "questions"
    };
    if block != REFERENCE || *slots == 0 {
        data.row([
            kind.to_owned(),
            block.to_owned(),
            rung.label.clone(),
            slots.to_string(),
            percent(entry.accuracy.value),
            percent(entry.accuracy.low),
            percent(entry.accuracy.high),
            entry.accuracy.n.to_string(),
        ]);
    }
    vec![(*slots, entry.accuracy)]
}
