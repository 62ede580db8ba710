//! `isoflop eval`.

use crate::cli::progress;
use harness::checkpoint::snapshot;
use harness::error::Error;
use harness::record::provenance::Provenance;
use harness::run::claim::{Attempt, Claims};
use harness::run::conclusion::Conclusion;
use harness::run::evaluation::evaluate_suites;
use harness::run::execute::{Failure, RunContext};
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
        origin: Provenance::gather().origin(),
    };
    let claims = Claims::new(folders.claims());
    let mut conclusion = Conclusion::Complete;
    for run in &plan.runs {
        let id = run_id(&configuration(&plan, run)?, &dataset);
        if !finished.contains(&id) {
            continue;
        }
        progress.preparing(&run.label.to_string());
        let claim = match claims.attempt(&id)? {
            Attempt::Claimed(claim, _) => claim,
            Attempt::Held(holder) => {
                let label = &run.label;
                progress.notice(&format!(
                    "{label} is held by {}: not evaluated",
                    holder.process
                ));
                conclusion = Conclusion::HeldElsewhere;
                continue;
            }
        };
        let folder = folders.weights(&id);
        let manifest = snapshot::verify(&folder, &id)?;
        let decoder = snapshot::read_weights(&folder, &manifest, &run.model, &device)?;
        let model = (&decoder, None);
        match evaluate_suites(run, &id, model, &claim, &context, progress.as_mut()) {
            Ok(()) | Err(Failure::TakenOver) => {}
            Err(Failure::Interrupted) => {
                conclusion = Conclusion::Interrupted;
                break;
            }
            Err(Failure::Failed(reason)) => {
                eprintln!("{}: {reason}", run.label);
                conclusion = Conclusion::SomeFailed;
            }
            Err(Failure::Records(error)) => return Err(error.into()),
            Err(Failure::Checkpoint(error)) => return Err(error.into()),
        }
    }
    progress.done();
    finish_report(&plan, &records, &folders, options.compute.quiet, false)?;
    Ok(conclusion)
}
