//! All rows of a comparison: what is counted, what was scored, and the differences to the first model.

use super::counted::counted;
use super::items::ItemsByRun;
use super::{Model, Quantity, QuantityKind, Unit};
use crate::statistics::{Interval, mean_over_seeds};
use crate::{Frames, RunRow, ScoreRow, WHOLE_SUITE};

/// All rows of a group.
pub fn quantities(models: &[Model], frames: &Frames, items: &ItemsByRun) -> Vec<Quantity> {
    let mut rows: Vec<Quantity> = counted(models).collect();
    rows.push(Quantity {
        kind: QuantityKind::Score,
        metric: "validation loss".into(),
        unit: Unit::Nats,
        values: models
            .iter()
            .map(|model| over_seeds(model.runs.iter().map(|run| run.val_loss)))
            .collect(),
    });
    let metrics = metrics(models, frames);
    rows.extend(metrics.iter().map(|(suite, metric)| {
        Quantity {
            kind: QuantityKind::Score,
            metric: format!("{suite} {metric}"),
            unit: unit(metric),
            values: models
                .iter()
                .map(|model| {
                    let rows = rows_of(model, frames, suite, metric);
                    items.score(model, &rows, is_share(metric))
                })
                .collect(),
        }
    }));
    if let Some((first, others)) = models
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    {
        rows.extend(differences(first, others, &metrics, items));
    }
    rows
}

fn differences(
    first: &Model,
    others: &[Model],
    metrics: &[(String, String)],
    items: &ItemsByRun,
) -> Vec<Quantity> {
    let row = |metric: String, unit, of: &dyn Fn(&Model) -> Option<Interval>| Quantity {
        kind: QuantityKind::Difference,
        metric,
        unit,
        values: std::iter::once(None).chain(others.iter().map(of)).collect(),
    };
    let loss = |model: &Model| {
        over_seeds(
            model
                .paired(first)
                .map(|(ours, theirs)| ours.val_loss - theirs.val_loss),
        )
    };
    let mut rows = vec![row("validation loss".into(), Unit::Nats, &loss)];
    rows.extend(
        metrics
            .iter()
            .filter(|(_, metric)| is_share(metric))
            .map(|(suite, metric)| {
                row(format!("{suite} {metric}"), Unit::Share, &|model| {
                    items.difference(model, first, suite)
                })
            }),
    );
    rows
}

fn is_share(metric: &str) -> bool {
    crate::SHARE_METRICS.contains(&metric)
}

fn unit(metric: &str) -> Unit {
    if is_share(metric) {
        Unit::Share
    } else {
        Unit::Plain
    }
}

fn over_seeds(values: impl Iterator<Item = f64>) -> Option<Interval> {
    let values: Vec<f64> = values.filter(|value| value.is_finite()).collect();
    (!values.is_empty()).then(|| mean_over_seeds(&values))
}

/// Suites and metrics that scored anywhere, shares first within a suite.
fn metrics(models: &[Model], frames: &Frames) -> Vec<(String, String)> {
    let of_models = |row: &&ScoreRow| {
        models
            .iter()
            .any(|model| model.run_ids().contains(&row.run.as_str()))
    };
    let mut metrics: Vec<(String, bool, String)> = frames
        .scores()
        .iter()
        .filter(|row| row.task == WHOLE_SUITE && is_scored(row))
        .filter(of_models)
        .map(|row| {
            (
                row.suite.clone(),
                !is_share(&row.metric),
                row.metric.clone(),
            )
        })
        .collect();
    metrics.sort();
    metrics.dedup();
    metrics
        .into_iter()
        .map(|(suite, _, metric)| (suite, metric))
        .collect()
}

fn is_scored(row: &ScoreRow) -> bool {
    row.status == "scored" && row.value.is_finite()
}

/// The rows of a model's seeds; none unless all of them scored, since a mean over fewer would not be the model's.
fn rows_of<'a>(model: &Model, frames: &'a Frames, suite: &str, metric: &str) -> Vec<&'a ScoreRow> {
    let of_run = |run: &RunRow| {
        frames.scores().iter().find(|row| {
            row.run == run.run
                && row.suite == suite
                && row.metric == metric
                && row.task == WHOLE_SUITE
                && is_scored(row)
        })
    };
    let rows: Option<Vec<_>> = model.runs.iter().map(of_run).collect();
    rows.unwrap_or_default()
}
