//! Validation loss: at the end of training, over FLOPs and time, and during training.

use std::collections::BTreeMap;

use maud::{Markup, html};
use results::RunRow;
use results::statistics::mean_over_seeds;

use crate::ReportError;
use crate::axis::Axis;
use crate::chart::{Chart, Point, Series, Style};
use crate::figure::Figure;
use crate::table::Table;
use results::number::{NONE, fixed, prefixed, scientific};
use results::study::{Rung, Study, mean};

const NATS: &str = "validation loss, nats per token";

pub fn body(study: &Study) -> Result<Markup, ReportError> {
    if !study
        .frames
        .runs()
        .iter()
        .any(|run| run.status == "finished" && run.val_loss.is_finite())
    {
        return Ok(html! { p.none { "No validation loss was measured." } });
    }
    let curves = curves(study);
    Ok(html! {
        (ends(study).render()?)
        @match curves {
            Some(figure) => (figure.render()?),
            None => p.none { "No validation loss was recorded during training." },
        }
    })
}

fn ends(study: &Study) -> Figure {
    let mut data = Table::new("Final validation loss")
        .text("Block")
        .text("Size")
        .number("Training FLOPs")
        .number("Training time, s")
        .number("Loss")
        .number("Low")
        .number("High");
    let (mut by_flops, mut by_time) = (Vec::new(), Vec::new());
    for (look, block) in study.blocks.iter().enumerate() {
        let line = || Series::new(block, look, Vec::new()).styled(Style::between_rungs(study));
        let (mut flops, mut time) = (line(), line());
        for rung in &study.rungs {
            let runs = study.finished(block, rung);
            if runs.is_empty() {
                continue;
            }
            let loss = mean_over_seeds(&runs.iter().map(|run| run.val_loss).collect::<Vec<_>>());
            let range = loss.is_bounded().then_some((loss.low, loss.high));
            let (spent, wall) = (
                mean(&runs, |r| r.train_flops),
                mean(&runs, |r| r.train_wall_s),
            );
            if loss.value.is_finite() {
                flops.points.push(Point {
                    x: spent,
                    y: loss.value,
                    range: None,
                });
                time.points.push(Point {
                    x: wall,
                    y: loss.value,
                    range: None,
                });
            }
            let end = |end: fn((f64, f64)) -> f64| {
                range.map_or(NONE.into(), |range| fixed(end(range), 4))
            };
            data.row([
                (*block).to_owned(),
                rung.label.clone(),
                scientific(spent),
                fixed(wall, 1),
                fixed(loss.value, 4),
                end(|range| range.0),
                end(|range| range.1),
            ]);
        }
        by_flops.push(flops);
        by_time.push(time);
    }
    let panel = |title: &str, label: &str, series: Vec<Series>| {
        let x = Axis::log(label, xs(&series));
        let y = Axis::linear(NATS, ys(&series));
        Chart::new(title, x, y, series)
    };
    Figure {
        id: "figure-loss".into(),
        caption: "Validation loss at the end of training against what the training cost, one point per size, mean \
            over \
            seeds. Lower is better; at equal FLOPs the vertical distance is the effect of the block, and against time it \
            is that on this device with this implementation."
            .into(),
        panels: vec![
            panel("Loss for FLOPs", "training FLOPs", by_flops),
            panel("Loss for time", "training time, s", by_time),
        ],
        data,
    }
}

fn curves(study: &Study) -> Option<Figure> {
    let mut data = Table::new("Validation loss during training")
        .text("Block")
        .text("Size")
        .number("Tokens")
        .number("Loss");
    let mut panels = Vec::new();
    let steps = by_run(study);
    for rung in &study.rungs {
        let mut series = Vec::new();
        data.group();
        for (look, block) in study.blocks.iter().enumerate() {
            let points = thinned(late(averaged(&study.finished(block, rung), &steps)), 80);
            for point in thinned(points.clone(), 6) {
                data.row([
                    (*block).to_owned(),
                    rung.label.clone(),
                    prefixed(point.x),
                    fixed(point.y, 4),
                ]);
            }
            series.push(Series::new(block, look, points));
        }
        if series.iter().any(|line| line.points.len() > 1) {
            panels.push(curve(rung, series));
        }
    }
    (!panels.is_empty()).then(|| Figure {
        id: "figure-curves".into(),
        caption: "Validation loss during training against tokens seen, mean over seeds, one panel per size. The \
            first tenth \
            of training is left out: there the losses of all blocks fall equally, on a much larger scale. Blocks that \
            spend \
            fewer FLOPs per token are trained on more tokens for the same budget, so that their curves are longer. The table \
            below holds at most six points of each curve."
            .into(),
        panels,
        data,
    })
}

fn curve(rung: &Rung, series: Vec<Series>) -> Chart {
    let x = Axis::log("tokens", xs(&series));
    let y = Axis::linear(NATS, ys(&series));
    Chart {
        marks: false,
        ..Chart::new(&rung.label, x, y, series)
    }
}

/// Tokens and validation loss of every step that has one.
type Curves<'a> = BTreeMap<&'a str, Vec<(u64, f64)>>;

fn by_run<'a>(study: &Study<'a>) -> Curves<'a> {
    let mut curves: Curves = BTreeMap::new();
    for step in study.frames.steps() {
        if let Some(loss) = step.val_loss.filter(|loss| loss.is_finite()) {
            curves
                .entry(&step.run)
                .or_default()
                .push((step.tokens, loss));
        }
    }
    curves
}

/// The mean over seeds at each number of tokens that all seeds have.
fn averaged(runs: &[&RunRow], steps: &Curves) -> Vec<Point> {
    let mut sums: BTreeMap<u64, (f64, usize)> = BTreeMap::new();
    for (tokens, loss) in runs
        .iter()
        .filter_map(|run| steps.get(run.run.as_str()))
        .flatten()
    {
        let sum = sums.entry(*tokens).or_default();
        *sum = (sum.0 + loss, sum.1 + 1);
    }
    sums.into_iter()
        .filter(|(_, (_, seeds))| *seeds == runs.len())
        .map(|(tokens, (sum, seeds))| Point {
            x: tokens as f64,
            y: sum / seeds as f64,
            range: None,
        })
        .collect()
}

/// The points after the first tenth; all of them where that would leave no curve.
fn late(points: Vec<Point>) -> Vec<Point> {
    let from = points.last().map_or(0.0, |last| last.x / 10.0);
    let late: Vec<Point> = points
        .iter()
        .copied()
        .filter(|point| point.x >= from)
        .collect();
    if late.len() > 1 { late } else { points }
}

/// At most `most` points, evenly spaced, the first and the last among them.
fn thinned(points: Vec<Point>, most: usize) -> Vec<Point> {
    if points.len() <= most {
        return points;
    }
    (0..most)
        .map(|i| points[i * (points.len() - 1) / (most - 1)])
        .collect()
}

fn xs(series: &[Series]) -> impl Iterator<Item = f64> + '_ {
    series
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.x)
}

fn ys(series: &[Series]) -> impl Iterator<Item = f64> + '_ {
    series
        .iter()
        .flat_map(|line| &line.points)
        .map(|point| point.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinning_keeps_both_ends() {
        let points: Vec<Point> = (0..1000)
            .map(|i| Point {
                x: f64::from(i),
                y: 0.0,
                range: None,
            })
            .collect();
        let thin = thinned(points.clone(), 80);
        assert_eq!((thin.len(), thin[0].x, thin[79].x), (80, 0.0, 999.0));
        assert_eq!(thinned(points[..5].to_vec(), 80).len(), 5);
    }
}
