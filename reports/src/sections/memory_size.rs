//! Accuracy against the size of the value table: measured here, and published, each in axes of its own.

use maud::{Markup, html};
use results::RunRow;
use results::published::{MEMORY_LAYERS, PublishedRow, published};

use crate::ReportError;
use crate::axis::Axis;
use crate::blocks::REFERENCE;
use crate::chart::{Chart, Point, Series, Style};
use crate::figure::Figure;
use crate::number::{fixed, percent, prefixed};
use crate::score::{self, Suite};
use crate::study::{Rung, Study};
use crate::table::Table;

pub fn body(study: &Study, suites: &[Suite]) -> Result<Markup, ReportError> {
    Ok(html! {
        h3 { "Measured here" }
        @match measured(study, suites) {
            Some(figure) => (figure.render()?),
            None => p.none { "No block with slots was scored on facts, so there is nothing measured to show." },
        }
        h3 { "Published: figure 1 of " (MEMORY_LAYERS) }
        (reported().render()?)
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
struct Place {
    slots: u64,
    runs: String,
}

/// Width, layers and bits of the budget: what sizes that differ in their tables alone share.
type Shape = (u64, u64, u64);

/// What a rung has of a block: slots, and the accuracy with its interval, in percent.
type Reached = (u64, results::statistics::Interval);

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
    let mut lines: Vec<(usize, &str, Shape, Vec<Reached>)> = Vec::new();
    for rung in &study.rungs {
        let dense = reached(study, asked, REFERENCE, rung, data);
        for (look, block) in blocks {
            let Some(run) = study.finished(block, rung).first().copied() else {
                continue;
            };
            let shape = (run.d_model, run.n_layers, rung.flops.to_bits());
            let found = reached(study, asked, block, rung, data);
            let same =
                |line: &&mut (usize, &str, Shape, Vec<Reached>)| line.0 == *look && line.2 == shape;
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
    let mut places: Vec<Place> = Vec::new();
    for (slots, _) in lines.iter().flat_map(|(.., line)| line) {
        if places.iter().all(|place| place.slots != *slots) {
            let runs = if *slots == 0 {
                "none".into()
            } else {
                prefixed(*slots as f64)
            };
            places.push(Place {
                slots: *slots,
                runs,
            });
        }
    }
    places.sort_by_key(|place| place.slots);
    let names: Vec<&str> = places.iter().map(|place| place.runs.as_str()).collect();
    let series: Vec<Series> = lines
        .iter()
        .map(|(look, block, _, line)| {
            let point = |(slots, accuracy): &Reached| Point {
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
) -> Vec<Reached> {
    let runs = study.finished(block, rung);
    let Some(entry) = score::entry(study, asked, block, rung) else {
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

/// Looks of published series: no block of a usual sweep has them.
const FIGURE: usize = 5;
const TABLE: usize = 6;

fn reported() -> Figure {
    let of = |table: &'static str| {
        published()
            .iter()
            .filter(move |row| row.source == MEMORY_LAYERS && row.table == table)
    };
    let mut data = Table::new("Published accuracy by slots")
        .text("Metric")
        .text("Model")
        .number("Slots")
        .number("Value")
        .number("±")
        .text("Source")
        .prose("Note");
    let printed = |row: &&PublishedRow| row.size == "1.3b" && row.model == "Memory+";
    for row in of("figure 1").chain(
        of("table 1")
            .filter(printed)
            .filter(|row| row.metric.ends_with('Q') || row.metric == "TQA"),
    ) {
        data.row([
            row.metric.clone(),
            format!("{} {}", row.model, row.variant),
            row.memory_slots
                .map_or_else(String::new, |slots| slots.to_string()),
            fixed(row.value, 2),
            row.uncertainty
                .map_or_else(String::new, |off| off.to_string()),
            format!("{}, {}", row.table, row.mark),
            row.note.clone(),
        ]);
    }
    let steps = [0u64, 1 << 20, 1 << 22, 1 << 24, 1 << 26];
    let names = ["none", "1024²", "2048²", "4096²", "8192²"];
    let panel = |title: &str, metric: &str| {
        let points = |rows: &mut dyn Iterator<Item = &PublishedRow>| -> Vec<Point> {
            rows.filter(|row| row.metric == metric && row.size == "1.3b")
                .filter_map(|row| {
                    let place = steps
                        .iter()
                        .position(|step| Some(*step) == row.memory_slots)?;
                    Some(Point {
                        x: place as f64,
                        y: row.value,
                        range: row
                            .uncertainty
                            .map(|off| (row.value - off, row.value + off)),
                    })
                })
                .collect()
        };
        let curve = points(&mut of("figure 1"));
        let cells = points(&mut of("table 1").filter(printed));
        let level = of("figure 1").find(|row| row.metric == metric && row.variant == "line");
        let unit = level.map_or("", |row| row.unit.as_str());
        let tops = curve
            .iter()
            .chain(&cells)
            .map(|point| point.y)
            .chain(level.map(|row| row.value));
        Chart {
            level: level.map(|row| (row.value, "Llama2 7B, 2T tokens".into())),
            ..Chart::new(
                title,
                Axis::categories("slots", &names),
                Axis::from_zero(unit, tops.collect::<Vec<_>>().into_iter()),
                vec![
                    Series::new("figure 1, digitised", FIGURE, curve).styled(Style::Hollow),
                    Series::new("Memory+ in table 1, transcribed", TABLE, cells)
                        .styled(Style::Hollow),
                ],
            )
        }
    };
    Figure {
        id: "figure-published-memory-size".into(),
        caption: "Not measured here. The paper's decoder of 1.3b parameters, trained on 1T tokens, on Natural \
            Questions and \
            TriviaQA; digitised to ± 0.3 points, with no intervals in the source. The text calls the whole curve \
            Memory+, but its point at 1024² equals \
            the vanilla Memory row of table 1, so the curve seems to join two architectures; table 1's own Memory+ \
            rows \
            stand beside it. Other questions, other data and other models than in the figure above: what can be \
            compared is the \
            shape, not the height."
            .into(),
        panels: vec![panel("Natural Questions", "NQ"), panel("TriviaQA", "TQA")],
        data,
    }
}
