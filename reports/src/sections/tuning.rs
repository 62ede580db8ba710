//! How the training settings of each block were searched, and what the search cost.

use maud::{Markup, html};

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{NONE, fixed, percent, scientific};
use results::study::Study;
use results::study::tuning::{Search, searches};

pub fn body(study: &Study) -> Result<Markup, ReportError> {
    let searches = searches(study);
    if searches.is_empty() {
        return Ok(html! {
            p.none {
                "Training settings are those of the sweep file: it has no section " code { "tune" } ". Where the best rate differs between \
                 blocks or sizes, so does the loss at a shared one."
            }
        });
    }
    let measure = match searches[0].measure {
        "answer_loss" => "loss of answers, in nats",
        _ => "validation loss, in nats per token",
    };
    let figure = Figure {
        id: "figure-tuning".into(),
        caption: format!(
            "Trials of the learning rate: {measure}, of one seed that no compared run has, against the learning rate, one panel for each \
             size that was searched. Rates were picked at the vertex of the parabola through the best trial and its neighbours."
        ),
        panels: panels(study, &searches),
        data: trials(&searches),
    };
    let laws: Vec<&str> = searches.iter().map(|search| search.law).collect();
    let law = laws.into_iter().find(|law| !law.is_empty());
    Ok(html! {
        p {
            "Settings were searched for each block before any run that is compared, on a seed and facts of their own. The charge is the \
             training FLOPs of the trials relative to those of the compared runs that use them: at equal total compute a gain of a block \
             is to be read beside it. A search whose best value is at the edge of what was tried may have missed a better one."
        }
        @if let Some(law) = law {
            p { "Sizes that were not searched have the rate of a law: " (law) "." }
        }
        (picks(&searches))
        (figure.render()?)
    })
}

fn picks(searches: &[Search]) -> Table {
    let mut table = Table::new("Training settings picked")
        .text("Size")
        .text("Block")
        .number("Learning rate")
        .text("Searched at")
        .text("Setting")
        .number("Trials")
        .number("Picked")
        .text("Edge")
        .number("Charge, %");
    for search in searches {
        table.group();
        for (place, curve) in search.curves.iter().enumerate() {
            let once = |text: String| if place == 0 { text } else { String::new() };
            table.row([
                once(search.rung.label.clone()),
                once(search.block.to_owned()),
                once(search.learning_rate.map_or(NONE.into(), scientific)),
                curve.size.to_owned(),
                curve.setting.replace('_', " "),
                curve.trials.len().to_string(),
                scientific(curve.picked),
                if curve.at_edge {
                    "at the edge"
                } else {
                    "inside"
                }
                .to_owned(),
                once(percent(search.charge)),
            ]);
        }
    }
    table
}

/// The sizes that were searched, in the order of their rungs.
fn sizes<'a>(searches: &[Search<'a>]) -> Vec<&'a str> {
    let mut sizes: Vec<&str> = Vec::new();
    for curve in searches.iter().flat_map(|search| &search.curves) {
        if !sizes.contains(&curve.size) {
            sizes.push(curve.size);
        }
    }
    sizes
}

fn panels(study: &Study, searches: &[Search]) -> Vec<Chart> {
    let panel = |size: &str| {
        let series: Vec<Series> = study
            .blocks
            .iter()
            .enumerate()
            .filter_map(|(look, block)| {
                let own = searches.iter().filter(|search| search.block == *block);
                let curve = own
                    .flat_map(|search| &search.curves)
                    .find(|curve| curve.size == size && curve.setting == "learning_rate")?;
                let points = curve.trials.iter().filter(|(_, loss)| loss.is_finite());
                let points = points.map(|&(x, y)| Point { x, y, range: None });
                Some(Series::new(block, look, points.collect()))
            })
            .collect();
        let all = || series.iter().flat_map(|line| &line.points);
        let x = Axis::log("learning rate", all().map(|point| point.x));
        let y = Axis::linear("loss", all().map(|point| point.y));
        Chart::new(size, x, y, series)
    };
    sizes(searches).into_iter().map(panel).collect()
}

fn trials(searches: &[Search]) -> Table {
    let mut table = Table::new("Trials")
        .text("Size")
        .text("Block")
        .text("Setting")
        .number("Value")
        .number("Loss");
    let mut seen: Vec<(&str, &str, &str)> = Vec::new();
    for search in searches {
        for curve in &search.curves {
            let name = (curve.size, search.block, curve.setting);
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            table.group();
            for (value, loss) in &curve.trials {
                table.row([
                    curve.size.to_owned(),
                    search.block.to_owned(),
                    curve.setting.replace('_', " "),
                    scientific(*value),
                    match loss.is_finite() {
                        true => fixed(*loss, 4),
                        false => "failed".to_owned(),
                    },
                ]);
            }
        }
    }
    table
}
