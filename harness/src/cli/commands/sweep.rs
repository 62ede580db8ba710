//! `isoflop sweep`.

use experiment::plan::Plan;
use harness::error::Error;
use harness::record::folders::Folders;
use harness::run::conclusion::Conclusion;
use harness::run::progress::Progress;
use harness::run::tuning::plan_with_picks;
use results::Records;

use super::execution::Execution;
use super::finish_report::finish_report;
use super::lead::lead;
use crate::cli::arguments::SweepOptions;
use crate::cli::output::note;

/// Executes the unfinished runs and writes the report.
///
/// # Errors
/// If an argument is invalid, the data cannot be prepared, or rows or the report cannot be read or written.
pub fn sweep(options: &SweepOptions) -> Result<Conclusion, Error> {
    let waits = !options.no_wait;
    lead(
        "sweep",
        &options.execution,
        waits,
        |plan, folders, execution, progress| {
            execute_and_report(options, (plan, folders), execution, progress)
        },
    )
}

fn execute_and_report(
    options: &SweepOptions,
    (plan, folders): (Plan, &Folders),
    execution: &Execution,
    progress: &mut dyn Progress,
) -> Result<Conclusion, Error> {
    let searched = execution.search(&plan, progress)?;
    if let Some(conclusion) = searched.filter(|ended| *ended != Conclusion::Complete) {
        progress.done();
        return Ok(conclusion);
    }
    let (plan, law) = plan_with_picks(plan, folders.output())?;
    law?;
    let records = Records::open(folders.records())?;
    let conclusion = if options.until_decided {
        let sweep =
            |plan: &Plan, progress: &mut dyn Progress| execution.execute(plan, folders, progress);
        super::decide::until_decided(&plan, &records, sweep, progress)
    } else {
        execution.execute(&plan, folders, progress)
    };
    progress.done();
    if options.execution.worker {
        return conclusion;
    }
    let conclusion = conclusion?;
    if conclusion == Conclusion::Interrupted {
        note("interrupted; run the same command again to continue");
    }
    if options.no_report {
        return Ok(conclusion);
    }
    finish_report(
        &plan,
        &records,
        folders,
        options.execution.compute.quiet,
        options.export,
    )?;
    Ok(conclusion)
}
