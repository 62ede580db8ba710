//! `isoflop eval`.

use burn::tensor::Device;
use collectives::OneRank;
use experiment::plan::{Plan, Run};
use harness::checkpoint::snapshot;
use harness::checkpoint::store::{Intact, Store};
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::provenance::Provenance;
use harness::run::activity::SharedActivity;
use harness::run::claim::{Attempt, Claims};
use harness::run::conclusion::Conclusion;
use harness::run::data::{Datasets, Purpose};
use harness::run::evaluation::Subject;
use harness::run::execute::{Failure, RunContext};
use harness::run::identity::{configuration, run_id};
use harness::run::interrupt::Interrupt;
use harness::run::progress::Progress;
use harness::run::sweep;
use harness::run::tasks::load_all;
use results::number::fixed;
use results::{Records, ScoreRow, WHOLE_SUITE};
use suites::SandboxLimits;

use super::finish_report::finish_report;
use super::selected_plan::selected_plan;
use super::terminal_table::terminal_table;
use super::worker_threads::start_threads;
use crate::cli::arguments::{EvalOptions, RecordExport, WhichCheckpoint};
use crate::cli::output::print;
use crate::cli::progress;

/// Evaluates the finished runs again and writes the report, or evaluates checkpoints and prints their scores.
///
/// # Errors
/// If the data or weights cannot be prepared, or rows or the report cannot be read or written.
pub fn eval(options: &EvalOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = selected_plan(&options.selection)?;
    start_threads(&options.compute)?;
    let mut progress = progress::display_for(options.compute.quiet);
    let records = Records::open(folders.records())?;
    let datasets = Datasets::new(&plan, Purpose::Evaluation, &folders);
    let interrupt = Interrupt::listen()?;
    let evaluation = Evaluation {
        plan: &plan,
        folders: &folders,
        context: RunContext {
            datasets: &datasets,
            records: &records,
            folders: &folders,
            device: &options.compute.device.open(),
            tasks: &load_all(&plan.sweep.tasks)?,
            limits: &SandboxLimits::default(),
            interrupt: &interrupt,
            origin: Provenance::gather().origin(),
            ranks: &OneRank::shared(),
        },
    };
    if let Some(which) = options.checkpoint {
        return evaluation.checkpoints(which, progress.as_mut());
    }
    let conclusion = evaluation.finished_runs(progress.as_mut())?;
    progress.done();
    finish_report(
        &plan,
        &records,
        &folders,
        options.compute.quiet,
        RecordExport::default(),
    )?;
    Ok(conclusion)
}

struct Evaluation<'a> {
    plan: &'a Plan,
    folders: &'a Folders,
    context: RunContext<'a>,
}

impl Evaluation<'_> {
    fn device(&self) -> &Device {
        self.context.device
    }

    fn id(&self, run: &Run) -> Result<String, Error> {
        Ok(run_id(
            &configuration(run)?,
            &*self.context.datasets.of(run)?,
        ))
    }

    /// Replaces the scores of the finished runs.
    fn finished_runs(&self, progress: &mut dyn Progress) -> Result<Conclusion, Error> {
        let finished = sweep::finished(self.context.records)?;
        let claims = Claims::new(self.folders.claims());
        let mut conclusion = Conclusion::Complete;
        for run in &self.plan.runs {
            let id = self.id(run)?;
            if !finished.contains(&id) {
                continue;
            }
            progress.preparing(&run.label.to_string());
            let claim = match claims.attempt(&id)? {
                Attempt::Claimed(claim, _) => claim,
                Attempt::Held(holder) => {
                    let (label, process) = (&run.label, holder.process);
                    progress.notice(&format!("{label} is held by {process}: not evaluated"));
                    conclusion = Conclusion::HeldElsewhere;
                    continue;
                }
            };
            let folder = self.folders.weights(&id);
            let manifest = snapshot::verify(&folder, &id)?;
            let decoder = snapshot::read_weights(&folder, &manifest, &run.model, self.device())?;
            let subject = Subject {
                run,
                id: &id,
                decoder: &decoder,
                weights_hash: &manifest.content_hash(),
                partial: None,
                context: &self.context,
            };
            let ended = subject.evaluate_all(&claim, progress);
            match outcome(ended, run, progress)? {
                Conclusion::Interrupted => return Ok(Conclusion::Interrupted),
                Conclusion::Complete => {}
                other => conclusion = other,
            }
        }
        Ok(conclusion)
    }

    /// Prints the scores of one checkpoint of each run that has one.
    fn checkpoints(
        &self,
        which: WhichCheckpoint,
        progress: &mut dyn Progress,
    ) -> Result<Conclusion, Error> {
        let mut rows = Vec::new();
        let mut conclusion = Conclusion::Complete;
        for run in &self.plan.runs {
            let id = self.id(run)?;
            let Some(found) = self.checkpoint(which, &id, progress)? else {
                continue;
            };
            progress.preparing(&run.label.to_string());
            let (folder, manifest) = (&found.folder, &found.manifest);
            let decoder = snapshot::read_weights(folder, manifest, &run.model, self.device())?;
            let subject = Subject {
                run,
                id: &id,
                decoder: &decoder,
                weights_hash: &manifest.content_hash(),
                partial: None,
                context: &self.context,
            };
            let activity = SharedActivity::default();
            let ended = subject.evaluated(&activity, progress);
            let mut scores = Vec::new();
            let ended = ended.map(|found| scores = found.scores);
            match outcome(ended, run, progress)? {
                Conclusion::Interrupted => return Ok(Conclusion::Interrupted),
                Conclusion::Complete => {}
                other => conclusion = other,
            }
            let whole = scores.iter().filter(|score| score.task == WHOLE_SUITE);
            rows.extend(whole.map(|score| row(run, manifest.progress.step, score)));
        }
        progress.done();
        if rows.is_empty() {
            progress.notice("no selected run has such a checkpoint");
            return Ok(conclusion);
        }
        let header = [
            "size",
            "block",
            "seed",
            "step",
            "suite",
            "metric",
            "value",
            "95 % interval",
            "n",
        ];
        print(terminal_table(&header, 3, rows))?;
        Ok(conclusion)
    }

    fn checkpoint(
        &self,
        which: WhichCheckpoint,
        id: &str,
        progress: &mut dyn Progress,
    ) -> Result<Option<Intact>, Error> {
        let store = Store::new(self.folders.checkpoints(id), id);
        match which {
            WhichCheckpoint::Last => {
                let latest = store.latest()?;
                let unusable = latest.unusable.iter();
                unusable.for_each(|error| progress.notice(&error.to_string()));
                Ok(latest.intact)
            }
            WhichCheckpoint::Best => match store.best()? {
                Some(folder) => {
                    let manifest = snapshot::verify(&folder, id)?;
                    Ok(Some(Intact { folder, manifest }))
                }
                None => Ok(None),
            },
        }
    }
}

/// The conclusion of one evaluation; an error that concerns this run alone is reported.
fn outcome(
    ended: Result<(), Failure>,
    run: &Run,
    progress: &mut dyn Progress,
) -> Result<Conclusion, Error> {
    match ended {
        Ok(()) | Err(Failure::TakenOver) => Ok(Conclusion::Complete),
        Err(Failure::Interrupted) => Ok(Conclusion::Interrupted),
        Err(Failure::Failed(reason)) => {
            progress.notice(&format!("{}: {reason}", run.label));
            Ok(Conclusion::SomeFailed)
        }
        Err(Failure::Data(error)) => Err(*error),
        Err(Failure::Records(error)) => Err(error.into()),
        Err(Failure::Checkpoint(error)) => Err(error.into()),
    }
}

fn row(run: &Run, step: usize, score: &ScoreRow) -> Vec<String> {
    let label = &run.label;
    vec![
        label.size.clone(),
        label.block.clone(),
        label.seed.to_string(),
        step.to_string(),
        score.suite.clone(),
        score.metric.clone(),
        fixed(score.value, 4),
        format!("{} to {}", fixed(score.low, 4), fixed(score.high, 4)),
        score.n.to_string(),
    ]
}
