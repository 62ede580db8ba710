//! `isoflop sweep`.

use crate::cli::output::note;
use crate::cli::progress;
use experiment::plan::Plan;
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::provenance::Provenance;
use harness::record::run_row::RunRowContext;
use harness::run::conclusion::Conclusion;
use harness::run::data;
use harness::run::execute::RunContext;
use harness::run::interrupt::Interrupt;
use harness::run::progress::Progress;
use harness::run::sweep;
use results::Records;
use suites::{Dataset, SandboxLimits};

use super::finish_report::finish_report;
use super::selected_plan::selected_plan;
use super::worker_threads::start_threads;
use super::workers;
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
    let dataset = data::prepare(&plan, plan.max_stream_tokens(), &folders)?;
    // Before this, Ctrl-C ends the process immediately, since there are no rows to complete.
    let interrupt = Interrupt::listen()?;
    if options.worker {
        workers::stop_with_parent(&interrupt);
    }
    let conclusion = if options.jobs > 1 {
        let jobs = usize::from(options.jobs);
        let data = (&dataset, &records);
        workers::execute(options, jobs, &plan, data, &interrupt, progress.as_mut())
    } else {
        let here = Here {
            plan: &plan,
            dataset: &dataset,
            records: &records,
            folders: &folders,
            interrupt: &interrupt,
            threads,
        };
        here.execute(options, progress.as_mut())
    };
    progress.done();
    if options.worker {
        return conclusion;
    }
    let conclusion = conclusion?;
    if conclusion == Conclusion::Interrupted {
        note("interrupted; run the same command again to continue");
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

/// Execution of the runs by this process.
struct Here<'a> {
    plan: &'a Plan,
    dataset: &'a Dataset,
    records: &'a Records,
    folders: &'a Folders,
    interrupt: &'a Interrupt,
    threads: usize,
}

impl Here<'_> {
    fn execute(
        &self,
        options: &SweepOptions,
        progress: &mut dyn Progress,
    ) -> Result<Conclusion, Error> {
        let provenance = Provenance::gather();
        let context = RunContext {
            dataset: self.dataset,
            records: self.records,
            folders: self.folders,
            device: &options.compute.device.open(),
            limits: &SandboxLimits::default(),
            interrupt: self.interrupt,
            origin: provenance.origin(),
        };
        let row_context = RunRowContext {
            sweep: &self.plan.sweep,
            dataset: self.dataset,
            provenance,
            device: options.compute.device.to_string(),
            threads: self.threads,
        };
        let sweep = |plan: &Plan, progress: &mut dyn Progress| {
            sweep::sweep(plan, &context, &row_context, !options.no_wait, progress)
        };
        if options.until_decided {
            return super::decide::until_decided(self.plan, self.records, sweep, progress);
        }
        sweep(self.plan, progress)
    }
}
