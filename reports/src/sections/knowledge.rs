//! Bits of knowledge stored per parameter, where a suite measures them.

use maud::{Markup, html};
use results::statistics::mean_over_seeds;

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{fixed, prefixed};
use results::study::scores::is_scored;
use results::study::{Study, mean};

const METRIC: &str = "bits_per_parameter";

pub fn body(study: &Study) -> Result<Markup, ReportError> {
    let scores = study
        .frames
        .scores()
        .iter()
        .filter(|score| score.metric == METRIC && is_scored(score));
    let mut suites: Vec<(&str, &str)> = scores
        .map(|s| (s.suite.as_str(), s.task.as_str()))
        .collect();
    suites.sort_unstable();
    suites.dedup();
    // The tasks of a suite that is scored as a whole are the same knowledge again.
    let whole: Vec<&str> = suites
        .iter()
        .filter(|(_, task)| *task == results::WHOLE_SUITE)
        .map(|(suite, _)| *suite)
        .collect();
    suites.retain(|(suite, task)| *task == results::WHOLE_SUITE || !whole.contains(suite));
    if suites.is_empty() {
        return Ok(html! { p.none { "No suite measured the bits stored per parameter." } });
    }
    let mut data = Table::new("Bits stored per parameter")
        .text("Suite")
        .text("Block")
        .text("Size")
        .number("Parameters")
        .number("Bits per parameter");
    let panels = suites
        .iter()
        .map(|(suite, task)| panel(study, suite, task, &mut data))
        .collect();
    Figure {
        id: "figure-knowledge".into(),
        caption: "Knowledge that recall proves, in bits per parameter of the whole model, tables included, against \
            its \
            parameters. It counts statements completed in a phrasing that was trained on; questions in an unseen \
            phrasing \
            are not counted, as they would count a fact twice. Mean over seeds."
            .into(),
        panels,
        data,
    }
    .render()
}

fn panel(study: &Study, suite: &str, task: &str, data: &mut Table) -> Chart {
    let title = if task == results::WHOLE_SUITE {
        suite.to_owned()
    } else {
        format!("{suite}, {task}")
    };
    let value = |run: &str| {
        let of_run = |s: &&results::ScoreRow| {
            s.run == run && s.suite == suite && s.task == task && s.metric == METRIC && is_scored(s)
        };
        study
            .frames
            .scores()
            .iter()
            .find(of_run)
            .map(|score| score.value)
    };
    let mut series = Vec::new();
    for (look, block) in study.blocks.iter().enumerate() {
        let mut points = Vec::new();
        for rung in &study.rungs {
            let runs = study.finished(block, rung);
            let bits: Vec<f64> = runs.iter().filter_map(|run| value(&run.run)).collect();
            if bits.is_empty() {
                continue;
            }
            let (x, y) = (
                mean(&runs, |run| run.params_total as f64),
                mean_over_seeds(&bits).value,
            );
            points.push(Point { x, y, range: None });
            data.row([
                title.clone(),
                (*block).into(),
                rung.label.clone(),
                prefixed(x),
                fixed(y, 4),
            ]);
        }
        series.push(Series::new(block, look, points).styled(Style::between_rungs(study)));
    }
    let all = || series.iter().flat_map(|line| &line.points);
    let x = Axis::log("parameters, tables included", all().map(|point| point.x));
    let y = Axis::from_zero("bits per parameter", all().map(|point| point.y));
    Chart::new(&title, x, y, series)
}
