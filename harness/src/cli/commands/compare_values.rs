//! A comparison as CSV or JSON with full precision, one row per value.

use harness::error::Error;
use results::comparison::{Comparison, QuantityKind};
use serde::Serialize;

use crate::cli::output::print_exact;

#[derive(Serialize)]
struct ComparisonValue<'a> {
    metric: String,
    unit: &'a str,
    /// The quantity that is equal for all models of the group.
    held: &'a str,
    model: &'a str,
    /// Names of its runs, one per seed, separated by spaces.
    run: String,
    value: f64,
    /// Bounds of the confidence interval; empty if it has none.
    low: Option<f64>,
    high: Option<f64>,
    n: u64,
    interval: &'a str,
}

/// Prints every value of `comparison` to standard output as CSV.
///
/// # Errors
/// If standard output cannot be written.
pub fn print_csv(comparison: &Comparison) -> Result<(), Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    for value in values(comparison) {
        out.serialize(value)?;
    }
    let rows = out.into_inner().map_err(|error| error.into_error());
    print_exact(&rows.map_err(csv::Error::from)?)
}

/// Prints every value of `comparison` to standard output as a list in JSON.
///
/// # Errors
/// If standard output cannot be written.
pub fn print_json(comparison: &Comparison) -> Result<(), Error> {
    let mut text = serde_json::to_vec_pretty(&values(comparison))?;
    text.push(b'\n');
    print_exact(&text)
}

fn values(comparison: &Comparison) -> Vec<ComparisonValue<'_>> {
    let mut values = Vec::new();
    for group in &comparison.groups {
        for quantity in &group.quantities {
            let metric = match quantity.kind {
                QuantityKind::Difference => {
                    format!("{} less that of {}", quantity.metric, group.models[0].label)
                }
                _ => quantity.metric.clone(),
            };
            for (model, value) in group.models.iter().zip(&quantity.values) {
                let Some(value) = value else { continue };
                values.push(ComparisonValue {
                    metric: metric.clone(),
                    unit: quantity.unit.name(),
                    held: &group.held,
                    model: &model.label,
                    run: model.run_ids().join(" "),
                    value: value.value,
                    low: value.is_bounded().then_some(value.low),
                    high: value.is_bounded().then_some(value.high),
                    n: value.n,
                    interval: value.method,
                });
            }
        }
    }
    values
}
