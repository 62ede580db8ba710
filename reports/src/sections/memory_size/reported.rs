//! Figure 1 of the paper, from published rows alone.

use results::published::{MEMORY_LAYERS, PublishedRow, published};

use crate::axis::Axis;
use crate::chart::{Chart, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::fixed;

/// Looks of published series, which blocks of a usual sweep do not have.
const FIGURE: usize = 5;
const TABLE: usize = 6;

/// The curve of figure 1, and table 1's own Memory+ beside it.
pub fn figure() -> Figure {
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
                    let index = steps
                        .iter()
                        .position(|step| Some(*step) == row.memory_slots)?;
                    Some(Point {
                        x: index as f64,
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
            are shown beside it. The questions, data and models differ from those of the figure above: only the \
            shapes \
            can be compared."
            .into(),
        panels: vec![panel("Natural Questions", "NQ"), panel("TriviaQA", "TQA")],
        data,
    }
}
