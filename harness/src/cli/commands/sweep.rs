//! `isoflop sweep`.

use crate::cli::output::note;
use crate::cli::progress;
use experiment::plan::Plan;
use harness::error::Error;
use harness::ranks::launch::started_ranks;
use harness::ranks::order::Leader;
use harness::run::conclusion::Conclusion;
use harness::run::interrupt::Interrupt;
use harness::run::progress::Progress;
use harness::run::tuning::plan_with_picks;
use results::Records;

use super::execution::Execution;
use super::finish_report::finish_report;
use super::ranks::{check_one_process, follow};
use super::selected_plan::selected_plan;
use super::worker_threads::start_threads;
use super::workers::{self, Work};
use crate::cli::arguments::SweepOptions;

/// Executes the unfinished runs and writes the report.
///
/// # Errors
/// If an argument is invalid, the data cannot be prepared, or rows or the report cannot be read or written.
pub fn sweep(options: &SweepOptions) -> Result<Conclusion, Error> {
    let ranks = started_ranks(options.ranks, options.compute.device)?;
    if ranks.rank() > 0 {
        return follow(&ranks, &options.compute);
    }
    let _leader = Leader::new(&ranks);
    check_one_process(&ranks, options.jobs)?;
    let (plan, folders) = selected_plan(&options.selection)?;
    let threads = start_threads(&options.compute)?;
    let mut progress = progress::display_for(options.compute.quiet);
    let interrupt = Interrupt::listen()?;
    if options.worker {
        workers::stop_with_parent(&interrupt);
    }
    let execution = Execution {
        work: Work {
            command: "sweep",
            selection: &options.selection,
            compute: &options.compute,
            jobs: options.jobs.into(),
        },
        waits: !options.no_wait,
        threads,
        interrupt: &interrupt,
        ranks: &ranks,
    };
    let searched = execution.search(&plan, progress.as_mut())?;
    if let Some(conclusion) = searched.filter(|ended| *ended != Conclusion::Complete) {
        progress.done();
        return Ok(conclusion);
    }
    let (plan, law) = plan_with_picks(plan, folders.output())?;
    law?;
    let records = Records::open(folders.records())?;
    let conclusion = if options.until_decided {
        let sweep =
            |plan: &Plan, progress: &mut dyn Progress| execution.execute(plan, &folders, progress);
        super::decide::until_decided(&plan, &records, sweep, progress.as_mut())
    } else {
        execution.execute(&plan, &folders, progress.as_mut())
    };
    progress.done();
    if options.worker {
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
        &folders,
        options.compute.quiet,
        options.export,
    )?;
    Ok(conclusion)
}
