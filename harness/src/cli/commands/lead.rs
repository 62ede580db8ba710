//! What the commands that execute runs begin with.

use experiment::plan::Plan;
use harness::error::Error;
use harness::ranks::launch::started_ranks;
use harness::ranks::order::Leader;
use harness::record::folders::Folders;
use harness::run::conclusion::Conclusion;
use harness::run::interrupt::Interrupt;
use harness::run::progress::Progress;

use super::execution::Execution;
use super::ranks::{check_one_process, follow};
use super::selected_plan::selected_plan;
use super::worker_threads::start_threads;
use super::workers::{self, Work};
use crate::cli::arguments::ExecutionOptions;
use crate::cli::progress;

/// Calls `body` with the selected plan, its folders, the execution of its runs and the display of progress; on a rank other than 0,
/// trains what rank 0 says instead.
///
/// # Arguments
/// * `command`: its name, for rows and worker processes.
/// * `waits`: whether to wait for runs that other processes execute.
///
/// # Errors
/// If an option is invalid, the sweep file cannot be read, or as `body`.
pub fn lead(
    command: &'static str,
    options: &ExecutionOptions,
    waits: bool,
    body: impl FnOnce(Plan, &Folders, &Execution, &mut dyn Progress) -> Result<Conclusion, Error>,
) -> Result<Conclusion, Error> {
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
            command,
            selection: &options.selection,
            compute: &options.compute,
            jobs: options.jobs.into(),
        },
        waits,
        threads,
        interrupt: &interrupt,
        ranks: &ranks,
    };
    body(plan, &folders, &execution, progress.as_mut())
}
