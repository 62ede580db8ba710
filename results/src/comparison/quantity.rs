//! The rows of a comparison: one quantity, a value for each model.

use super::answers::Answers;
use super::{Model, model};
use crate::statistics::{Interval, mean_over_seeds};
use crate::{Frames, RunRow, ScoreRow, WHOLE_SUITE};

/// What a quantity is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum QuantityKind {
    /// What was given.
    Matching,
    /// What a token costs, by formula.
    Cost,
    /// What was timed or weighed.
    Speed,
    /// What was reached.
    Score,
    /// Less that of the first model, paired.
    Difference,
}

/// What a value counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Floating-point operations.
    Flops,
    /// Floating-point operations per second.
    FlopsPerSecond,
    /// Tokens.
    Tokens,
    /// Tokens per second.
    TokensPerSecond,
    /// Parameters.
    Parameters,
    /// Bytes.
    Bytes,
    /// Seconds.
    Seconds,
    /// Natural logarithm units per token.
    Nats,
    /// A share, or a difference of shares, in [-1, 1].
    Share,
    /// Whatever the metric's name says.
    Plain,
}

impl Unit {
    /// As the CSV names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flops => "FLOP",
            Self::FlopsPerSecond => "FLOP/s",
            Self::Tokens => "tokens",
            Self::TokensPerSecond => "tokens/s",
            Self::Parameters => "parameters",
            Self::Bytes => "bytes",
            Self::Seconds => "s",
            Self::Nats => "nats/token",
            Self::Share => "share",
            Self::Plain => "",
        }
    }
}

/// One row: a value for each model of the group, in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantity {
    /// The group of rows that it belongs to.
    pub kind: QuantityKind,
    /// Name of the metric.
    pub metric: String,
    /// Unit of its values.
    pub unit: Unit,
    /// None where a model has none. Values without an interval are counted or timed once.
    pub values: Vec<Option<Interval>>,
}

/// The metrics that are shares of right answers, which can be paired item by item.
const SHARES: [&str; 3] = ["exact_match", "pass@1", "accuracy"];

/// A number that each run has.
type OfRun = fn(&RunRow) -> f64;

const COUNTED: [(QuantityKind, &str, Unit, OfRun); 16] = [
    (
        QuantityKind::Matching,
        "target training FLOPs",
        Unit::Flops,
        |r| r.target_flops,
    ),
    (QuantityKind::Matching, "training FLOPs", Unit::Flops, |r| {
        r.train_flops
    }),
    (QuantityKind::Matching, "off target", Unit::Share, |r| {
        r.train_flops / r.target_flops - 1.0
    }),
    (
        QuantityKind::Matching,
        "training tokens",
        Unit::Tokens,
        |r| r.tokens as f64,
    ),
    (
        QuantityKind::Matching,
        "dense parameters",
        Unit::Parameters,
        |r| r.params_dense as f64,
    ),
    (
        QuantityKind::Matching,
        "table parameters",
        Unit::Parameters,
        |r| r.params_table as f64,
    ),
    (
        QuantityKind::Matching,
        "active parameters",
        Unit::Parameters,
        |r| r.params_active as f64,
    ),
    (
        QuantityKind::Matching,
        "total parameters",
        Unit::Parameters,
        |r| r.params_total as f64,
    ),
    (
        QuantityKind::Cost,
        "training FLOPs per token",
        Unit::Flops,
        |r| r.train_flops / r.tokens as f64,
    ),
    (
        QuantityKind::Cost,
        "table bytes gathered per token",
        Unit::Bytes,
        |r| r.bytes_gathered,
    ),
    (QuantityKind::Cost, "table size", Unit::Bytes, |r| {
        r.table_bytes as f64
    }),
    (QuantityKind::Speed, "peak memory", Unit::Bytes, |r| {
        r.peak_memory_bytes as f64
    }),
    (
        QuantityKind::Speed,
        "throughput",
        Unit::TokensPerSecond,
        |r| r.tokens_per_s,
    ),
    (
        QuantityKind::Speed,
        "achieved compute",
        Unit::FlopsPerSecond,
        |r| r.flop_per_s,
    ),
    (QuantityKind::Speed, "training time", Unit::Seconds, |r| {
        r.train_wall_s
    }),
    (QuantityKind::Speed, "evaluation time", Unit::Seconds, |r| {
        r.eval_wall_s
    }),
];

/// All rows of a group.
pub fn quantities(models: &[Model], frames: &Frames, answers: &Answers) -> Vec<Quantity> {
    let mut rows: Vec<Quantity> = COUNTED
        .iter()
        .map(|&(kind, metric, unit, of)| Quantity {
            kind,
            metric: metric.into(),
            unit,
            values: models.iter().map(|model| counted(model, of)).collect(),
        })
        .collect();
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
                    answers.score(model, &rows, is_share(metric))
                })
                .collect(),
        }
    }));
    if let Some((first, others)) = models
        .split_first()
        .filter(|(_, others)| !others.is_empty())
    {
        rows.extend(differences(first, others, &metrics, answers));
    }
    rows
}

fn differences(
    first: &Model,
    others: &[Model],
    metrics: &[(String, String)],
    answers: &Answers,
) -> Vec<Quantity> {
    let row = |metric: String, unit, of: &dyn Fn(&model::Model) -> Option<Interval>| Quantity {
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
                    answers.difference(model, first, suite)
                })
            }),
    );
    rows
}

fn is_share(metric: &str) -> bool {
    SHARES.contains(&metric)
}

fn unit(metric: &str) -> Unit {
    if is_share(metric) {
        Unit::Share
    } else {
        Unit::Plain
    }
}

/// A number that is the same in all runs, or their mean: a cost has no interval.
fn counted(model: &Model, of: OfRun) -> Option<Interval> {
    let value = model.mean(of);
    value
        .is_finite()
        .then(|| Interval::unbounded(value, model.runs.len() as u64, "none"))
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
