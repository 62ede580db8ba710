//! Accuracy against training FLOPs, one panel per suite.

use maud::{Markup, html};

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{percent, scientific};
use results::study::scores::{Scores, Suite};
use results::study::{Study, mean};

pub fn body(study: &Study, scores: &Scores) -> Result<Markup, ReportError> {
    if scores.suites.is_empty() {
        return Ok(html! { p.none { "No suite was scored." } });
    }
    let mut data = Table::new("Accuracy")
        .text("Suite")
        .text("Block")
        .text("Size")
        .number("Training FLOPs")
        .number("Accuracy, %")
        .number("Low")
        .number("High")
        .number("Items");
    let suites = scores.suites.iter().enumerate();
    let panels = suites
        .map(|(index, suite)| panel(study, scores, index, suite, &mut data))
        .collect();
    Figure {
        id: "figure-accuracy".into(),
        caption: "Share of right answers against training FLOPs, one panel per suite. Bars are 95 % intervals; \
            blocks \
            are offset horizontally by a few pixels so that their bars do not overlap. The dashed line is the accuracy of \
            always giving the most common answer. Suites named \u{201c}recall\u{201d} complete statements in a \
            phrasing that was \
            trained on; the others ask questions in a phrasing that was not."
            .into(),
        panels,
        data,
    }
    .render()
}

fn panel(study: &Study, scores: &Scores, index: usize, suite: &Suite, data: &mut Table) -> Chart {
    let mut series = Vec::new();
    for (look, block) in study.blocks.iter().enumerate() {
        let mut points = Vec::new();
        for (step, rung) in study.rungs.iter().enumerate() {
            let Some(score) = scores.get(index, step, look) else {
                continue;
            };
            let (accuracy, x) = (
                score.accuracy,
                mean(&study.finished(block, rung), |r| r.train_flops),
            );
            let range = accuracy
                .is_bounded()
                .then_some((accuracy.low * 100.0, accuracy.high * 100.0));
            points.push(Point {
                x,
                y: accuracy.value * 100.0,
                range,
            });
            data.row([
                suite.name.to_owned(),
                (*block).to_owned(),
                rung.label.clone(),
                scientific(x),
                percent(accuracy.value),
                percent(accuracy.low),
                percent(accuracy.high),
                accuracy.n.to_string(),
            ]);
        }
        series.push(Series::new(block, look, points).styled(Style::between_rungs(study)));
    }
    let all = || series.iter().flat_map(|line| &line.points);
    let tops = all().map(|point| point.range.map_or(point.y, |(_, high)| high));
    let level = suite.baseline.map(|share| share * 100.0);
    let x = Axis::log("training FLOPs", all().map(|point| point.x));
    let label = format!("{}, %", suite.metric.replace('_', " "));
    let y = Axis::from_zero(&label, tops.chain(level));
    Chart {
        level: level.map(|at| (at, suite.baseline_name().into())),
        ..Chart::new(suite.name, x, y, series)
    }
}
