//! Loss against size at one budget: the parabolas and their minima.

use maud::{Markup, html};
use results::fits::{IsoflopCurve, IsoflopFit, LEAST_SIZES, Reading};
use results::statistics::Interval;

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Guide, Point, Series, Style};
use crate::figure::Figure;
use crate::interval::{self, interval};
use crate::table::Table;
use results::number::{fixed, prefixed, scientific};
use results::study::Study;
use results::study::scaling::isoflop_curves;

/// The look of minima: budgets take the looks before it.
const MINIMUM: usize = 7;

pub fn body(study: &Study) -> Result<Markup, ReportError> {
    let blocks: Vec<(&str, IsoflopFit)> = study
        .blocks
        .iter()
        .map(|block| (*block, isoflop_curves(study, block, Reading::Active)))
        .filter(|(_, fitted)| !fitted.budgets.is_empty())
        .collect();
    let drawn: Vec<&(&str, IsoflopFit)> = blocks
        .iter()
        .filter(|(_, fitted)| {
            fitted
                .budgets
                .iter()
                .any(|budget| budget.parabola.is_some())
        })
        .collect();
    if drawn.is_empty() {
        let budgets = blocks.iter().flat_map(|(_, fitted)| &fitted.budgets);
        let most = budgets.map(sizes).max().unwrap_or(0);
        return Ok(html! {
            p.none {
                "No isoFLOP curve can be drawn: it requires " (LEAST_SIZES) " sizes or more at one budget of training FLOPs, and \
                here no block has more than " (most) ". A sweep file requests one with sizes whose "
                code { "flops" } " are the same."
            }
        });
    }
    let figure = figure(&drawn);
    let tables = minima(study, &blocks);
    Ok(html! {
        @if study.sizes_have_own_facts() {
            p {
                "Sizes have as many facts as their tokens state a given number of times, so that they are evaluated on texts of their own, \
                 of which a large decoder has the fewest to learn: these losses cannot be compared between sizes, and their minima say nothing. \
                 What can be is the total of bits known, in " a href="#knowledge" { "Knowledge stored" } "."
            }
        }
        (figure.render()?)
        h3 { "Minima" }
        (tables)
    })
}

fn figure(blocks: &[&(&str, IsoflopFit)]) -> Figure {
    let mut data = Table::new("Loss by size at each budget")
        .text("Block")
        .number("Training FLOPs")
        .number("Active parameters")
        .number("Tokens")
        .number("Loss");
    let budgets = budgets(blocks);
    let panels = blocks
        .iter()
        .map(|(block, fitted)| panel(block, fitted, &budgets, &mut data))
        .collect();
    Figure {
        id: "figure-isoflop".into(),
        caption: "Validation loss against active parameters, one curve for each budget of training FLOPs, one panel \
            for each block. \
            Dashed curves are parabolas in the logarithm of the parameters. A hollow mark is its minimum, \
            with its \
            95 % interval as a horizontal bar, cut at the frame, where there are four runs or more; a minimum at or beyond the smallest \
            or largest \
            size is not valid, and is listed in the table with the reason."
            .into(),
        panels,
        data,
    }
}

/// The budgets of all blocks by their label, from the smallest.
fn budgets(blocks: &[&(&str, IsoflopFit)]) -> Vec<String> {
    let mut flops: Vec<f64> = blocks
        .iter()
        .flat_map(|(_, fitted)| &fitted.budgets)
        .map(|budget| budget.points[0].budget)
        .collect();
    flops.sort_by(f64::total_cmp);
    let mut labels: Vec<String> = flops.into_iter().map(label).collect();
    labels.dedup();
    labels
}

fn label(flops: f64) -> String {
    format!("{} FLOPs", scientific(flops))
}

fn panel(block: &str, fitted: &IsoflopFit, budgets: &[String], data: &mut Table) -> Chart {
    let (mut series, mut guides, mut minima) = (Vec::new(), Vec::new(), Vec::new());
    for budget in &fitted.budgets {
        let name = label(budget.points[0].budget);
        let look = budgets.iter().position(|other| *other == name).unwrap_or(0) % MINIMUM;
        for point in &budget.points {
            data.row([
                block.to_owned(),
                scientific(point.flops),
                prefixed(point.params),
                prefixed(point.tokens),
                fixed(point.loss, 4),
            ]);
        }
        if let (Some(curve), Some(first), Some(last)) =
            (budget.parabola, budget.points.first(), budget.points.last())
        {
            let steps = (0..=32).map(|step| f64::from(step) / 32.0);
            let at =
                steps.map(|share| first.params.ln() + share * (last.params / first.params).ln());
            guides.push(Guide {
                look: Some(look),
                path: at.map(|x| (x.exp(), curve.at(x))).collect(),
                dashed: true,
            });
        }
        if let Ok(minimum) = &budget.minimum {
            let y = minimum.loss.value;
            if minimum.params.is_bounded() {
                guides.push(Guide {
                    look: Some(MINIMUM),
                    path: vec![(minimum.params.low, y), (minimum.params.high, y)],
                    dashed: false,
                });
            }
            minima.push(Point {
                x: minimum.params.value,
                y,
                range: None,
            });
        }
        let points = budget.points.iter().map(|point| Point {
            x: point.params,
            y: point.loss,
            range: None,
        });
        series.push(Series::new(&name, look, points.collect()).styled(Style::Apart));
    }
    series.push(Series::new("minimum", MINIMUM, minima).styled(Style::Hollow));
    let all: Vec<Point> = series.iter().flat_map(|line| line.points.clone()).collect();
    let x = Axis::log("active parameters", all.iter().map(|point| point.x));
    let curves = guides
        .iter()
        .flat_map(|guide: &Guide| &guide.path)
        .map(|(_, y)| *y);
    let y = Axis::linear(
        "validation loss, nats per token",
        all.iter().map(|point| point.y).chain(curves),
    );
    Chart {
        guides,
        ..Chart::new(block, x, y, series)
    }
}

fn minima(study: &Study, blocks: &[(&str, IsoflopFit)]) -> Markup {
    let mut table = Table::new("Minima by block and budget")
        .text("Block")
        .number("Training FLOPs")
        .number("Sizes")
        .number("Best active parameters")
        .number("Tokens there")
        .number("Loss there")
        .prose("Where there is none, why");
    for (block, fitted) in blocks {
        table.group();
        for budget in &fitted.budgets {
            let head = [
                (*block).to_owned(),
                scientific(budget.flops),
                sizes(budget).to_string(),
            ];
            let tail = match &budget.minimum {
                Ok(found) => [
                    many(&found.params),
                    many(&found.tokens),
                    interval(&found.loss, 3),
                    String::new(),
                ],
                Err(reason) => [
                    String::new(),
                    String::new(),
                    String::new(),
                    reason.to_string(),
                ],
            };
            table.row(head.into_iter().chain(tail));
        }
    }
    let mut powers = Table::new("How the minima grow with compute")
        .text("Block")
        .text("N counts")
        .number("Best N ∝ FLOPs to the")
        .number("Best D ∝ FLOPs to the")
        .prose("Where there is none, why");
    for (block, _) in blocks {
        for reading in Reading::ALL {
            let fitted = isoflop_curves(study, block, reading);
            let exponent = |power: &Result<results::fits::Power, results::fits::NoPower>| {
                power
                    .as_ref()
                    .map_or_else(|_| String::new(), |power| interval(&power.exponent, 2))
            };
            powers.row([
                (*block).to_owned(),
                reading.label().to_owned(),
                exponent(&fitted.params),
                exponent(&fitted.tokens),
                fitted
                    .params
                    .err()
                    .map_or_else(String::new, |reason| reason.to_string()),
            ]);
        }
    }
    html! {
        (table)
        p { "How the best size grows with compute. The exponents depend on which parameters are counted, so every reading is \
            given." }
        (powers)
    }
}

/// Distinct sizes of a budget; its points come by size.
fn sizes(budget: &IsoflopCurve) -> usize {
    budget.points.chunk_by(|a, b| a.params == b.params).count()
}

fn many(interval: &Interval) -> String {
    interval::text(interval, prefixed)
}
