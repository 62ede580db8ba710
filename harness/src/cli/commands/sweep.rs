//! `isoflop sweep`.

use crate::cli::output::note;
use crate::cli::progress;
use harness::error::Error;
use harness::record::provenance::Provenance;
use harness::record::run_row::RunRowContext;
use harness::run::conclusion::Conclusion;
use harness::run::execute::RunContext;
use harness::run::interrupt::Interrupt;
use harness::run::sweep;
use results::Records;
use suites::SandboxLimits;

use super::finish_report::finish_report;
use super::selected_plan::selected_plan;
use super::worker_threads::start_threads;
use crate::cli::arguments::SweepOptions;

/// Executes the unfinished runs and writes the report.
///
/// # Errors
/// If an argument is invalid, the data cannot be prepared, or rows or the report cannot be read or written.
pub fn sweep(options: &SweepOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = selected_plan(&options.selection)?;
    let threads = start_threads(&options.compute)?;
    let mut progress = progress::display_for(options.compute.quiet);
    let records = Records::open(folders.records())?;
    progress.preparing("corpus, tokenizer and questions");
    let dataset = sweep::prepare(&plan, plan.max_stream_tokens(), &folders)?;
    // Before this, Ctrl-C ends the process immediately, since there are no rows to complete.
    let interrupt = Interrupt::listen()?;
    let context = RunContext {
        dataset: &dataset,
        records: &records,
        folders: &folders,
        device: &options.compute.device.open(),
        limits: &SandboxLimits::default(),
        interrupt: &interrupt,
    };
    let row_context = RunRowContext {
        sweep: &plan.sweep,
        dataset: &dataset,
        provenance: Provenance::gather(),
        device: options.compute.device.to_string(),
        threads,
    };
    let conclusion = sweep::sweep(&plan, &context, &row_context, progress.as_mut());
    progress.done();
    let conclusion = conclusion?;
    if conclusion == Conclusion::Interrupted {
        note("interrupted; run the same command again to execute the missing runs");
    }
    finish_report(
        &plan,
        &records,
        &folders,
        options.compute.quiet,
        options.csv,
    )?;
    Ok(conclusion)
}
