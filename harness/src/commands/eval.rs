//! `isoflop eval`.

use harness::attempt::{Bench, Failure, question};
use harness::conclusion::Conclusion;
use harness::error::Error;
use harness::identity::{configuration, run_id};
use harness::interrupt::Interrupt;
use harness::{progress, sweep, weights};
use results::Records;
use suites::SandboxLimits;

use super::closing::close;
use super::machine::start_threads;
use super::planned::planned;
use crate::arguments::EvalOptions;

/// Asks the finished runs again and writes the report.
pub fn eval(options: &EvalOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = planned(&options.planned)?;
    start_threads(&options.machine)?;
    let mut progress = progress::fitting(options.machine.quiet);
    let records = Records::open(folders.records())?;
    let finished = sweep::finished(&records)?;
    let dataset = sweep::prepare(&plan, 1, &folders)?;
    let interrupt = Interrupt::listen()?;
    let device = options.machine.device.open();
    let bench = Bench {
        dataset: &dataset,
        records: &records,
        folders: &folders,
        device: &device,
        limits: &SandboxLimits::default(),
        interrupt: &interrupt,
    };
    let mut conclusion = Conclusion::Complete;
    for run in &plan.runs {
        let id = run_id(&configuration(&plan, run)?, &dataset);
        if !finished.contains(&id) {
            continue;
        }
        progress.preparing(&run.cell.to_string());
        let decoder = weights::load(&run.model, &folders.weights(&id), &device)?;
        match question(run, &id, &decoder, &bench, progress.as_mut()) {
            Ok(()) => {}
            Err(Failure::Interrupted) => {
                conclusion = Conclusion::Interrupted;
                break;
            }
            Err(Failure::Failed(reason)) => {
                eprintln!("{}: {reason}", run.cell);
                conclusion = Conclusion::SomeFailed;
            }
            Err(Failure::Records(error)) => return Err(error.into()),
        }
    }
    progress.done();
    close(&plan, &records, &folders, options.machine.quiet, false)?;
    Ok(conclusion)
}
