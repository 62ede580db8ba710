//! Execution of the runs of a plan, and of the trials of its search, by this process or by worker processes.

use std::ops::ControlFlow;
use std::sync::Arc;

use collectives::Collectives;
use experiment::plan::Plan;
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::provenance::Provenance;
use harness::record::run_row::RunRowContext;
use harness::run::conclusion::Conclusion;
use harness::run::data::{Datasets, Purpose};
use harness::run::execute::RunContext;
use harness::run::interrupt::Interrupt;
use harness::run::progress::Progress;
use harness::run::sweep;
use harness::run::tasks::{LoadedTask, load_all};
use harness::run::tuning::{state, tuning_folders};
use harness::train::check_ranks;
use results::Records;
use suites::SandboxLimits;

use super::workers::{self, Work};

/// How runs are executed.
pub struct Execution<'a> {
    /// The command, and what its worker processes are told.
    pub work: Work<'a>,
    /// Whether to wait for runs that other processes execute.
    pub waits: bool,
    /// Number of worker threads of this process.
    pub threads: usize,
    /// The flag that Ctrl-C sets.
    pub interrupt: &'a Interrupt,
    /// The ranks that train each run together.
    pub ranks: &'a Arc<dyn Collectives>,
}

impl Execution<'_> {
    /// Executes the trials of `plan` until every search has ended; none if there is none.
    ///
    /// # Errors
    /// As [`Execution::execute`].
    pub fn search(
        &self,
        plan: &Plan,
        progress: &mut dyn Progress,
    ) -> Result<Option<Conclusion>, Error> {
        let Some(tune) = &plan.sweep.tune else {
            return Ok(None);
        };
        let output = &self.work.selection.location.output;
        let folders = tuning_folders(plan, output);
        while let Some(trials) = state(plan, tune, output)?.next {
            let number = trials.runs.len();
            progress.notice(&format!("search of training settings: {number} trials"));
            let tuning = Self {
                work: Work {
                    command: "tune",
                    ..self.work
                },
                ..*self
            };
            match tuning.execute(&trials, &folders, progress)? {
                // A trial that fails is a result.
                Conclusion::Complete | Conclusion::SomeFailed => {}
                other => return Ok(Some(other)),
            }
        }
        Ok(Some(Conclusion::Complete))
    }

    /// Executes the unfinished runs of `plan`.
    ///
    /// # Errors
    /// If the data cannot be prepared, or rows cannot be read or written.
    pub fn execute(
        &self,
        plan: &Plan,
        folders: &Folders,
        progress: &mut dyn Progress,
    ) -> Result<Conclusion, Error> {
        for run in &plan.runs {
            check_ranks(&run.training, self.ranks.ranks())?;
            run.model.check_ranks(self.ranks.ranks())?;
        }
        progress.preparing("corpus, tokenizer and questions");
        let datasets = Datasets::new(plan, Purpose::Training, folders);
        for run in &plan.runs {
            let prepared = datasets.prepare(run, &mut |data| {
                progress.data(data);
                match self.interrupt.requested() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            });
            if self.interrupt.requested() {
                return Ok(Conclusion::Interrupted);
            }
            prepared?;
        }
        let records = Records::open(folders.records())?;
        if self.work.jobs > 1 {
            let data = (&datasets, &records);
            return workers::execute(self.work, plan, data, self.interrupt, progress);
        }
        // Before anything is trained: a benchmark that cannot be read is an error now, and not after hours.
        let tasks = load_all(&plan.sweep.tasks)?;
        let notes = tasks.iter().flat_map(LoadedTask::notes);
        notes.for_each(|note| progress.notice(&note));
        let provenance = Provenance::gather();
        let context = RunContext {
            datasets: &datasets,
            records: &records,
            folders,
            device: &self.work.compute.device.open(),
            tasks: &tasks,
            limits: &SandboxLimits::default(),
            interrupt: self.interrupt,
            origin: provenance.origin(),
            ranks: self.ranks,
        };
        let row_context = RunRowContext {
            sweep: &plan.sweep,
            command: self.work.command,
            provenance,
            device: match self.ranks.ranks() {
                1 => self.work.compute.device.to_string(),
                ranks => format!("{} on {ranks} ranks", self.work.compute.device),
            },
            threads: self.threads,
        };
        sweep::sweep(plan, &context, &row_context, self.waits, progress)
    }
}
