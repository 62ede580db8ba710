//! A comparison as exact numbers, one line a value.

use harness::error::Error;
use results::comparison::{Comparison, QuantityKind};
use serde::Serialize;

#[derive(Serialize)]
struct Line<'a> {
    metric: String,
    unit: &'a str,
    /// What was held equal in its group.
    held: &'a str,
    model: &'a str,
    /// Names of its runs, one for each seed, with a space between.
    run: String,
    value: f64,
    /// Empty where nothing bounds the value.
    low: Option<f64>,
    high: Option<f64>,
    n: u64,
    interval: &'a str,
}

/// Prints every value.
pub fn print(comparison: &Comparison) -> Result<(), Error> {
    let mut out = csv::Writer::from_writer(std::io::stdout());
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
                out.serialize(Line {
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
                })?;
            }
        }
    }
    out.flush().map_err(csv::Error::from)?;
    Ok(())
}
