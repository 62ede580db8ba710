//! Bits of knowledge stored, where a suite measures them: in total at each budget, and per parameter.

mod by_budget;

use maud::{Markup, html};

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{fixed, prefixed};
use results::study::Study;
use results::study::knowledge::{KnowledgeTask, bits_per_parameter, knowledge_tasks};

pub fn body(study: &Study) -> Result<Markup, ReportError> {
    let tasks = knowledge_tasks(study);
    if tasks.is_empty() {
        return Ok(html! { p.none { "No suite measured the bits stored per parameter." } });
    }
    let mut data = Table::new("Bits stored per parameter")
        .text("Suite")
        .text("Block")
        .text("Size")
        .number("Parameters")
        .number("Bits per parameter");
    let panels = tasks
        .iter()
        .map(|task| panel(study, *task, &mut data))
        .collect();
    let per_parameter = Figure {
        id: "figure-knowledge".into(),
        caption: "Knowledge measured by recall, in bits per parameter of the whole model, tables included, against \
            its \
            parameters. It counts statements completed in a phrasing that was trained on; questions in an unseen \
            phrasing \
            are not counted, since that would count a fact twice. Mean over seeds."
            .into(),
        panels,
        data,
    };
    let by_budget = tasks.iter().map(|task| by_budget::body(study, *task));
    let by_budget = by_budget.collect::<Result<Vec<Markup>, ReportError>>()?;
    Ok(html! {
        @for of_task in by_budget { (of_task) }
        h3 { "Per parameter" }
        (per_parameter.render()?)
    })
}

/// The suite, and its task where the suite as a whole has no score.
fn name(of: KnowledgeTask) -> String {
    match of.task {
        results::WHOLE_SUITE => of.suite.to_owned(),
        task => format!("{}, {task}", of.suite),
    }
}

fn panel(study: &Study, of: KnowledgeTask, data: &mut Table) -> Chart {
    let title = name(of);
    let mut series = Vec::new();
    for (look, block) in study.blocks.iter().enumerate() {
        let mut points = Vec::new();
        for rung in &study.rungs {
            let Some((x, y)) = bits_per_parameter(study, of, block, rung) else {
                continue;
            };
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
    // Below zero where the loss is above that of a uniform guess.
    let values = all().map(|point| point.y).chain([0.0]);
    let y = Axis::linear("bits per parameter", values);
    Chart::new(&title, x, y, series)
}
