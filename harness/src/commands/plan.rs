//! `isoflop plan`.

use architectures::DeviceName;
use harness::conclusion::Conclusion;
use harness::error::Error;
use harness::memory_need::{FORMULA, MemoryNeed};
use harness::plan::Run;
use harness::progress::quantity::{bytes, count, duration};
use harness::speed::{Speed, Speeds};

use super::grid::grid;
use super::plan_csv;
use super::planned::planned;
use crate::arguments::PlanOptions;

const HEADER: [&str; 13] = [
    "size",
    "block",
    "seed",
    "dense",
    "table",
    "active",
    "FLOP/token",
    "tokens",
    "steps",
    "FLOP",
    "off target",
    "memory",
    "time",
];

/// Shows the plan.
pub fn plan(options: &PlanOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = planned(&options.planned)?;
    if options.csv {
        plan_csv::print(&plan.runs)?;
        return Ok(Conclusion::Complete);
    }
    let speeds = Speeds::gather(&folders, &DeviceName::Flex.open());
    let rows = plan
        .runs
        .iter()
        .map(|run| row(run, speeds.of(run)))
        .collect();
    let (matching, name) = (plan.sweep.matching, &plan.sweep.name);
    let runs = if plan.runs.len() == 1 { "run" } else { "runs" };
    println!("{name}: {} {runs}, matched by {matching}", plan.runs.len());
    println!("{}", grid(&HEADER, 2, rows));
    let seconds: f64 = plan
        .runs
        .iter()
        .map(|run| run.budget.train_flops / speeds.of(run).rate())
        .sum();
    let flops: f64 = plan.runs.iter().map(|run| run.budget.train_flops).sum();
    println!(
        "training in all: {} FLOP, about {}, asking not included",
        count(flops),
        duration(seconds)
    );
    println!("FLOP/token: training; {}", architectures::FLOP_CONVENTION);
    println!("{FORMULA}");
    println!("{}", speeds.explain());
    Ok(Conclusion::Complete)
}

fn row(run: &Run, speed: Speed) -> Vec<String> {
    let (cell, cost, budget) = (&run.cell, &run.cost, &run.budget);
    let time = duration(budget.train_flops / speed.rate());
    vec![
        cell.size.clone(),
        cell.block.clone(),
        cell.seed.to_string(),
        count(cost.params_dense as f64),
        count(cost.params_table as f64),
        count(cost.params_active as f64),
        count(cost.training() as f64),
        count(budget.tokens as f64),
        budget.steps.to_string(),
        count(budget.train_flops),
        format!("{:+.2} %", 100.0 * budget.deviation()),
        bytes(MemoryNeed::of(run).total()),
        match speed {
            Speed::Measured(_) => time,
            Speed::Assumed(_) => format!("~ {time}"),
        },
    ]
}
