//! `isoflop sweep`.

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
use super::machine::start_threads;
use super::planned::planned;
use crate::cli::arguments::SweepOptions;

/// Runs what is missing and writes the report.
pub fn sweep(options: &SweepOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = planned(&options.planned)?;
    let threads = start_threads(&options.machine)?;
    let mut progress = progress::display_for(options.machine.quiet);
    let records = Records::open(folders.records())?;
    progress.preparing("corpus, tokenizer and questions");
    let dataset = sweep::prepare(&plan, plan.max_stream_tokens(), &folders)?;
    // From here on there are rows to finish; before, Ctrl-C ends the process at once.
    let interrupt = Interrupt::listen()?;
    let context = RunContext {
        dataset: &dataset,
        records: &records,
        folders: &folders,
        device: &options.machine.device.open(),
        limits: &SandboxLimits::default(),
        interrupt: &interrupt,
    };
    let row_context = RunRowContext {
        sweep: &plan.sweep,
        dataset: &dataset,
        provenance: Provenance::gather(),
        device: options.machine.device.to_string(),
        threads,
    };
    let conclusion = sweep::sweep(&plan, &context, &row_context, progress.as_mut());
    progress.done();
    let conclusion = conclusion?;
    if conclusion == Conclusion::Interrupted {
        eprintln!("interrupted; the same command goes on with the runs that are missing");
    }
    finish_report(
        &plan,
        &records,
        &folders,
        options.machine.quiet,
        options.csv,
    )?;
    Ok(conclusion)
}
