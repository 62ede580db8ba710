//! Throughput, achieved FLOP/s and the traffic of table rows.

use maud::{Markup, html};
use results::RunRow;

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{bytes, duration, prefixed, scientific};
use results::study::{Study, mean};

pub fn body(study: &Study) -> Result<Markup, ReportError> {
    if !study
        .frames
        .runs()
        .iter()
        .any(|run| run.status == "finished")
    {
        return Ok(html! { p.none { "No run finished." } });
    }
    let mut data = Table::new("Speed and traffic")
        .text("Block")
        .text("Size")
        .number("Tokens/s")
        .number("FLOP/s")
        .text("Format")
        .number("Gathered per token")
        .number("Peak memory")
        .number("Training")
        .number("Evaluation");
    for rung in &study.rungs {
        data.group();
        for block in &study.blocks {
            let runs = study.finished(block, rung);
            if runs.is_empty() {
                continue;
            }
            data.row([
                (*block).to_owned(),
                rung.label.clone(),
                prefixed(mean(&runs, |r| r.tokens_per_s)),
                scientific(mean(&runs, |r| r.flop_per_s)),
                formats(&runs),
                bytes(mean(&runs, |r| r.bytes_gathered)),
                bytes(mean(&runs, |r| r.peak_memory_bytes as f64)),
                duration(mean(&runs, |r| r.train_wall_s)),
                duration(mean(&runs, |r| r.eval_wall_s)),
            ]);
        }
    }
    Figure {
        id: "figure-speed".into(),
        caption: "Training throughput in tokens per second, the same as achieved FLOP/s, and bytes of table rows \
            gathered \
            per token in the forward pass, by size, mean over seeds. All vertical axes are logarithmic; a block \
            that gathers nothing has no point in the last panel. Throughput is that of this implementation on this \
            device, not of the block in general."
            .into(),
        panels: vec![
            panel(study, "Throughput", "tokens/s", |run| run.tokens_per_s),
            panel(study, "Achieved compute", "FLOP/s", |run| run.flop_per_s),
            panel(study, "Gathered", "bytes per token", |run| run.bytes_gathered),
        ],
        data,
    }
    .render()
}

/// The number formats of the runs.
fn formats(runs: &[&RunRow]) -> String {
    let mut names: Vec<&str> = runs.iter().map(|run| run.numeric_format.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    names.join(", ")
}

fn panel(study: &Study, title: &str, label: &str, of: impl Fn(&RunRow) -> f64) -> Chart {
    let names: Vec<&str> = study.rungs.iter().map(|rung| rung.label.as_str()).collect();
    let series: Vec<Series> = study
        .blocks
        .iter()
        .enumerate()
        .map(|(look, block)| {
            let value = |rung| mean(&study.finished(block, rung), &of);
            let rungs = study.rungs.iter().enumerate();
            let points = rungs
                .map(|(index, rung)| Point {
                    x: index as f64,
                    y: value(rung),
                    range: None,
                })
                .filter(|point| point.y.is_finite() && point.y > 0.0)
                .collect();
            Series::new(block, look, points).styled(Style::between_rungs(study))
        })
        .collect();
    let ys = series
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.y);
    let y = Axis::log(label, ys);
    Chart::new(title, Axis::categories("size", &names), y, series)
}
