//! `isoflop plan`.

use architectures::DeviceName;
use experiment::estimate::{Assumptions, Estimate};
use experiment::plan::{Plan, Run};
use experiment::quantity::{bytes, count, duration};
use experiment::tuning::cells::cells;
use harness::error::Error;
use harness::probe::speeds::Speeds;
use harness::run::conclusion::Conclusion;

use super::plan_row::{print_csv, print_json};
use super::plan_tables::{costs, fits, needs, solved};
use super::selected_plan::selected_plan;
use crate::cli::arguments::PlanOptions;
use crate::cli::output::print;

/// Prints the plan as tables, CSV or JSON.
///
/// # Errors
/// If an argument or a model is invalid, or standard output cannot be written.
pub fn plan(options: &PlanOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = selected_plan(&options.selection)?;
    let assumed = Assumptions {
        format: options.format,
        device_memory: options.device_memory,
        price: options.price,
    };
    let speeds = Speeds::gather(&folders, DeviceName::Flex.open(), options.throughput);
    let runs: Vec<(&Run, Estimate)> = plan
        .runs
        .iter()
        .map(|run| Ok((run, Estimate::of(run, speeds.of(run), &assumed)?)))
        .collect::<Result<_, Error>>()?;
    if options.csv {
        print_csv(&runs, &assumed)?;
    } else if options.json {
        print_json(&runs, &assumed)?;
    } else {
        print(text(&plan, &runs, &assumed, &speeds)?)?;
    }
    Ok(Conclusion::Complete)
}

fn text(
    plan: &Plan,
    runs: &[(&Run, Estimate)],
    assumed: &Assumptions,
    speeds: &Speeds,
) -> Result<String, Error> {
    let (matching, name) = (plan.sweep.matching, &plan.sweep.name);
    let noun = if runs.len() == 1 { "run" } else { "runs" };
    let mut lines = vec![
        format!("{name}: {} {noun}, matched by {matching}", runs.len()),
        format!("\n{}", costs(runs)?),
        format!(
            "dense, table, active: parameters; forward, training: FLOP of a token; bytes: table rows that a token \
             gathers, in f32\n{}",
            architectures::FLOP_CONVENTION
        ),
    ];
    lines.extend(solved(runs).map(|table| format!("\n{table}")));
    lines.push(format!("\n{}", needs(runs)));
    lines.push(assumed.format.formula());
    lines.push(format!(
        "devices of {}: the fewest on which the peak fits; each has its part of the table's columns, and all else\n  \
         whole (replicated) or, if that does not fit, an even share of it (sharded)",
        bytes(assumed.device_memory)
    ));
    lines.extend(fits(runs, assumed.device_memory));
    lines.push(format!(
        "time: on those devices, without communication overhead\n{}",
        speeds.explain()
    ));
    lines.push(total(runs));
    lines.extend(searched(plan)?);
    Ok(lines.join("\n"))
}

/// The trials that come before the runs, if there is a search.
fn searched(plan: &Plan) -> Result<Option<String>, Error> {
    let Some(tune) = &plan.sweep.tune else {
        return Ok(None);
    };
    let (mut trials, mut flops) = (0, 0.0);
    for cell in cells(plan)? {
        let tables = if cell.has_tables {
            tune.table_ratio.len()
        } else {
            0
        };
        let own = tune.learning_rate.len() + tables + tune.weight_decay.len();
        trials += own;
        flops += own as f64 * cell.run.budget.train_flops;
    }
    Ok(Some(format!(
        "before them, search of training settings: {trials} trials of {} FLOP together, more where a grid is extended",
        count(flops)
    )))
}

/// FLOPs, device-hours, cost and time of all runs together.
fn total(runs: &[(&Run, Estimate)]) -> String {
    let sum = |part: &dyn Fn(&(&Run, Estimate)) -> f64| runs.iter().map(part).sum::<f64>();
    let flops = sum(&|(run, _)| run.budget.train_flops);
    let hours = sum(&|(_, estimate)| estimate.device_hours);
    let seconds = sum(&|(_, estimate)| estimate.seconds.unwrap_or(f64::NAN));
    let cost = match runs.iter().any(|(_, estimate)| estimate.cost.is_some()) {
        true => format!(
            ", cost {}",
            count(sum(&|(_, e)| e.cost.unwrap_or_default()))
        ),
        false => String::new(),
    };
    format!(
        "total training: {} FLOP, {} device-hours{cost}; about {} in sequence; evaluation not included",
        count(flops),
        count(hours),
        duration(seconds)
    )
}
