//! The rows that are counted or timed: columns of [`RunRow`] without an interval.

use super::{Model, Quantity, QuantityKind, Unit};
use crate::RunRow;
use crate::statistics::Interval;

/// A numeric column of a run.
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

/// One row for each number that is counted or timed.
pub fn counted(models: &[Model]) -> impl Iterator<Item = Quantity> {
    COUNTED.iter().map(|&(kind, metric, unit, of)| Quantity {
        kind,
        metric: metric.into(),
        unit,
        values: models.iter().map(|model| mean(model, of)).collect(),
    })
}

/// The mean over the runs of a model, without an interval.
fn mean(model: &Model, of: OfRun) -> Option<Interval> {
    let value = model.mean(of);
    value
        .is_finite()
        .then(|| Interval::unbounded(value, model.runs.len() as u64, "none"))
}
