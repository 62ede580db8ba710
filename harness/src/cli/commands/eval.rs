//! `isoflop eval`.

use crate::cli::output::note;
use crate::cli::progress;
use harness::checkpoint::weights;
use harness::error::Error;
use harness::run::conclusion::Conclusion;
use harness::run::execute::{Failure, RunContext, evaluate_suites};
use harness::run::identity::{configuration, run_id};
use harness::run::interrupt::Interrupt;
use harness::run::sweep;
use results::Records;
use suites::SandboxLimits;

use super::finish_report::finish_report;
use super::selected_plan::selected_plan;
use super::worker_threads::start_threads;
use crate::cli::arguments::EvalOptions;

/// Evaluates the finished runs again and writes the report.
///
/// # Errors
/// If the data or weights cannot be prepared, or rows or the report cannot be read or written.
pub fn eval(options: &EvalOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = selected_plan(&options.selection)?;
    start_threads(&options.compute)?;
    let mut progress = progress::display_for(options.compute.quiet);
    let records = Records::open(folders.records())?;
    let finished = sweep::finished(&records)?;
    let dataset = sweep::prepare(&plan, 1, &folders)?;
    let interrupt = Interrupt::listen()?;
    let device = options.compute.device.open();
    let context = RunContext {
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
        progress.preparing(&run.label.to_string());
        let decoder = weights::load(&run.model, &folders.weights(&id), &device)?;
        match evaluate_suites(run, &id, &decoder, &context, progress.as_mut()) {
            Ok(()) => {}
            Err(Failure::Interrupted) => {
                conclusion = Conclusion::Interrupted;
                break;
            }
            Err(Failure::Failed(reason)) => {
                note(format_args!("{}: {reason}", run.label));
                conclusion = Conclusion::SomeFailed;
            }
            Err(Failure::Records(error)) => return Err(error.into()),
        }
    }
    progress.done();
    finish_report(&plan, &records, &folders, options.compute.quiet, false)?;
    Ok(conclusion)
}
