//! The plan with full precision: one record per run, as CSV or JSON.

use experiment::devices::Columns;
use experiment::estimate::{Assumptions, Estimate};
use experiment::plan::Run;
use harness::error::Error;
use serde::Serialize;

use crate::cli::output::print_exact;

/// One run. FLOPs and bytes are of one token if the name ends in `per_token`. Absent values are null, or empty in CSV.
#[derive(Serialize)]
struct PlanRow<'a> {
    size: &'a str,
    block: &'a str,
    seed: u64,
    params_dense: u64,
    params_table: u64,
    params_active: u64,
    params_total: u64,
    forward_matmul_flops_per_token: u64,
    forward_attention_flops_per_token: u64,
    forward_lookup_flops_per_token: u64,
    forward_flops_per_token: u64,
    train_flops_per_token: u64,
    bytes_gathered_per_token: u64,
    tokens: u64,
    steps: usize,
    target_flops: f64,
    train_flops: f64,
    format: String,
    weights_bytes: u64,
    gradients_bytes: u64,
    optimizer_bytes: u64,
    table_bytes: u64,
    activations_bytes: u64,
    table_gradient_bytes: u64,
    step_bytes: u64,
    memory_bytes: u64,
    device_memory_bytes: u64,
    fits_with_accumulate: Option<usize>,
    fits_with_recompute: Option<String>,
    devices: Option<u64>,
    fullest_device_bytes: Option<u64>,
    dense_layout: Option<String>,
    table_columns: Option<u64>,
    table_split: Option<String>,
    table_split_is_even: Option<bool>,
    flop_per_s: f64,
    flop_per_s_basis: &'static str,
    device_hours: f64,
    train_s: Option<f64>,
    cost: Option<f64>,
    solved_target: Option<String>,
    solved_wanted: Option<f64>,
    solved_reached: Option<f64>,
    solved_knobs: Option<String>,
}

fn row<'a>(run: &'a Run, estimate: &Estimate, assumed: &Assumptions) -> PlanRow<'a> {
    let (label, cost, budget) = (&run.label, &run.cost, &run.budget);
    let (need, devices) = (&estimate.need, estimate.devices);
    let columns = devices.and_then(|devices| devices.columns);
    let solved = run.solved();
    PlanRow {
        size: &label.size,
        block: &label.block,
        seed: label.seed,
        params_dense: cost.params_dense,
        params_table: cost.params_table,
        params_active: cost.params_active,
        params_total: cost.params(),
        forward_matmul_flops_per_token: cost.matmul,
        forward_attention_flops_per_token: cost.attention,
        forward_lookup_flops_per_token: cost.lookup,
        forward_flops_per_token: cost.forward(),
        train_flops_per_token: cost.training(),
        bytes_gathered_per_token: cost.bytes_gathered,
        tokens: budget.tokens,
        steps: budget.steps,
        target_flops: budget.target_flops,
        train_flops: budget.train_flops,
        format: assumed.format.to_string(),
        weights_bytes: need.weights,
        gradients_bytes: need.gradients,
        optimizer_bytes: need.optimizer,
        table_bytes: need.table,
        activations_bytes: need.activations,
        table_gradient_bytes: need.table_gradient,
        step_bytes: need.step,
        memory_bytes: need.total(),
        device_memory_bytes: assumed.device_memory,
        fits_with_accumulate: estimate.fitting.map(|division| division.accumulate),
        fits_with_recompute: estimate
            .fitting
            .map(|division| division.recompute.to_string()),
        devices: devices.map(|devices| devices.count),
        fullest_device_bytes: devices.map(|devices| devices.max_bytes),
        dense_layout: devices.map(|devices| devices.layout.to_string()),
        table_columns: columns.map(|columns| columns.width),
        table_split: columns.as_ref().map(Columns::to_string),
        table_split_is_even: columns.map(|columns| columns.is_even),
        flop_per_s: estimate.speed.rate(),
        flop_per_s_basis: estimate.speed.basis(),
        device_hours: estimate.device_hours,
        train_s: estimate.seconds,
        cost: estimate.cost,
        solved_target: solved.map(|matched| matched.target.clone()),
        solved_wanted: solved.map(|matched| matched.wanted),
        solved_reached: solved.map(|matched| matched.reached),
        solved_knobs: solved.map(|matched| matched.knobs.clone()),
    }
}

/// Prints the runs as CSV.
///
/// # Errors
/// If standard output cannot be written.
pub fn print_csv(runs: &[(&Run, Estimate)], assumed: &Assumptions) -> Result<(), Error> {
    let mut out = csv::Writer::from_writer(Vec::new());
    for (run, estimate) in runs {
        out.serialize(row(run, estimate, assumed))?;
    }
    let rows = out.into_inner().map_err(|error| error.into_error());
    print_exact(&rows.map_err(csv::Error::from)?)
}

/// Prints the runs as a JSON array.
///
/// # Errors
/// If a row cannot be serialised, or standard output cannot be written.
pub fn print_json(runs: &[(&Run, Estimate)], assumed: &Assumptions) -> Result<(), Error> {
    let rows: Vec<_> = runs
        .iter()
        .map(|(run, estimate)| row(run, estimate, assumed))
        .collect();
    print_exact(format!("{}\n", serde_json::to_string_pretty(&rows)?).as_bytes())
}
