//! `isoflop plan`.

use experiment::communication::{Exchanging, Network, predictions};
use experiment::estimate::{Assumptions, Estimate};
use experiment::memory_need::Formats;
use experiment::plan::{Plan, Run};
use experiment::quantity::{count, duration};
use experiment::training::Division;
use experiment::tuning::cells::cells;
use harness::error::Error;
use harness::run::conclusion::Conclusion;

use super::estimates::Estimates;
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
    let (format, price) = (options.numeric_format, options.price);
    let estimates = Estimates::of(&plan, &folders, &options.devices, format, price)?;
    let Estimates { runs, assumed, .. } = &estimates;
    if options.csv {
        print_csv(runs, assumed)?;
    } else if options.json {
        print_json(runs, assumed)?;
    } else {
        print(text(&plan, &estimates, options.network.as_ref())?)?;
    }
    Ok(Conclusion::Complete)
}

fn text(plan: &Plan, estimates: &Estimates, network: Option<&Network>) -> Result<String, Error> {
    let Estimates {
        runs,
        assumed,
        speeds,
        ..
    } = estimates;
    let (matching, name) = (plan.sweep.matching, &plan.sweep.name);
    let noun = if runs.len() == 1 { "run" } else { "runs" };
    let mut lines = vec![
        format!("{name}: {} {noun}, matched by {matching}", runs.len()),
        format!("\n{}", costs(runs)?),
        format!(
            "dense, table, active: parameters; forward, training: FLOP of a token; bytes: table rows that a token \
             gathers\n{}",
            architectures::FLOP_CONVENTION
        ),
    ];
    lines.extend(solved(runs).map(|table| format!("\n{table}")));
    lines.push(format!("\n{}", needs(runs)));
    lines.extend(formulas(runs, assumed));
    lines.push(format!(
        "device: {}\ndevices: the fewest on which the run fits, as it is configured (least: with one sequence at a time, every \
         layer computed again, and zero_stage = 2);\n  each has the dense weights whole, and its share of their moments, of the \
         table's columns, of the batch, and with zero_stage = 2 of the gradients;\n  - if no number of devices is sufficient",
        estimates.device()
    ));
    lines.extend(fits(runs, assumed.device_memory));
    lines.push(format!(
        "time: on those devices, without the time of communication; ~: assumed, or measured on another model\n{}",
        speeds.explain()
    ));
    if let Some(network) = network {
        lines.extend(on_network(runs, network));
    }
    lines.push(total(runs));
    lines.extend(searched(plan)?);
    Ok(lines.join("\n"))
}

/// The formula of memory for each of the formats of the runs.
fn formulas(runs: &[(&Run, Estimate)], assumed: &Assumptions) -> Vec<String> {
    let mut distinct: Vec<Formats> = Vec::new();
    for (run, _) in runs {
        let formats = Formats::of(run, assumed.format);
        if !distinct.contains(&formats) {
            distinct.push(formats);
        }
    }
    distinct.into_iter().map(Formats::formula).collect()
}

/// Predictions of a step of each model on several devices, from the speed of one.
fn on_network(runs: &[(&Run, Estimate)], network: &Network) -> Vec<String> {
    let (mut models, mut lines) = (Vec::new(), Vec::new());
    for (run, estimate) in runs {
        let model = (&run.label.size, &run.label.block);
        if models.contains(&model) {
            continue;
        }
        models.push(model);
        let tokens = (run.training.batch_size * run.model.decoder.seq_len) as u64;
        lines.push(format!(
            "{} {}, a step of {tokens} tokens",
            model.0, model.1
        ));
        let model = Exchanging {
            cost: &run.cost,
            layers: run.model.decoder.n_layers,
            division: Division::of(&run.training),
        };
        let predicted = predictions(network, model, tokens, estimate.speed.rate());
        lines.extend(predicted.into_iter().map(|line| format!("  {line}")));
    }
    lines
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
    let about = match runs.iter().any(|(_, estimate)| estimate.speed.is_rough()) {
        true => "~ ",
        false => "",
    };
    let cost = match runs.iter().any(|(_, estimate)| estimate.cost.is_some()) {
        true => format!(
            ", cost {about}{}",
            count(sum(&|(_, e)| e.cost.unwrap_or_default()))
        ),
        false => String::new(),
    };
    let seconds = match seconds.is_finite() {
        true => format!("{about}{} in sequence", duration(seconds)),
        false => "some runs fit no number of these devices".to_owned(),
    };
    format!(
        "total training: {} FLOP, {about}{} device-hours{cost}; {seconds}; evaluation not included",
        count(flops),
        count(hours),
    )
}
