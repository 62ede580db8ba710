//! Evaluation of a trained decoder on all suites and published benchmarks, continued where an earlier process stopped.

use std::path::Path;

use architectures::Decoder;
use results::{EvaluationRow, ItemRow, Records, ScoreRow};
use suites::{Dataset, LanguageModel, Suite, SuiteError, evaluate};

use super::activity::SharedActivity;
use super::claim::Claim;
use super::disk_wait::when_space;
use super::execute::{Failure, RunContext};
use super::interrupt::Interruptible;
use super::progress::Progress;
use super::tasks::LoadedTask;
use crate::error::Error;
use crate::evaluate::benchmark_model::{BenchmarkModel, SEQUENCES_AT_ONCE};
use crate::evaluate::held_out::held_out_rows;
use crate::evaluate::language_model::DecoderModel;
use crate::evaluate::scores::{item_rows, score_rows};
use experiment::plan::Run;

/// A trained run that is evaluated.
pub struct Subject<'a> {
    /// The run.
    pub run: &'a Run,
    /// Its name.
    pub id: &'a str,
    /// The decoder, without autodiff.
    pub decoder: &'a Decoder,
    /// Hash of its weights.
    pub weights_hash: &'a str,
    /// The folder for rows of the suites that are evaluated, from which an interrupted evaluation continues; without one it starts
    /// anew.
    pub partial: Option<&'a Path>,
    /// Suites, benchmarks and records.
    pub context: &'a RunContext<'a>,
}

/// Rows of evaluated items and their scores, and the benchmarks among them.
#[derive(Default)]
pub struct Evaluated {
    /// Items.
    pub items: Vec<ItemRow>,
    /// Scores.
    pub scores: Vec<ScoreRow>,
    /// Published benchmarks.
    pub evaluations: Vec<EvaluationRow>,
}

impl Subject<'_> {
    /// Evaluates every suite and benchmark, then replaces the rows of an earlier evaluation. Nothing is written to the records before all
    /// are evaluated, since incomplete scores would be pooled like complete ones.
    ///
    /// # Errors
    /// [`Failure`]: an interrupt, an error of a suite, or rows that cannot be written.
    pub fn evaluate_all(&self, claim: &Claim, progress: &mut dyn Progress) -> Result<(), Failure> {
        let evaluated = self.evaluated(&claim.activity, progress)?;
        self.write(&evaluated, claim, progress)
    }

    /// Evaluates the benchmarks of which the run has no rows, or rows of other items, and adds their rows to its own.
    ///
    /// # Errors
    /// As [`Subject::evaluate_all`].
    pub fn evaluate_missing(
        &self,
        claim: &Claim,
        progress: &mut dyn Progress,
    ) -> Result<(), Failure> {
        let (records, id) = (self.context.records, self.id);
        let mut all = Evaluated {
            items: records.read_run(id)?,
            scores: records.read_run(id)?,
            evaluations: records.read_run(id)?,
        };
        for task in missing(self.run, self.context.tasks, &all.evaluations) {
            all.items.retain(|row| row.suite != task.name());
            all.scores.retain(|row| row.suite != task.name());
            all.evaluations.retain(|row| row.task != task.name());
            all.evaluate(task, self, progress)?;
        }
        self.write(&all, claim, progress)
    }

    /// Evaluates every suite and benchmark, and records nothing.
    ///
    /// # Errors
    /// As [`Subject::evaluate_all`].
    pub fn evaluated(
        &self,
        activity: &SharedActivity,
        progress: &mut dyn Progress,
    ) -> Result<Evaluated, Failure> {
        let (run, id, context) = (self.run, self.id, self.context);
        let mut model = Interruptible {
            model: DecoderModel::new(self.decoder, context.device, SEQUENCES_AT_ONCE),
            interrupt: context.interrupt,
        };
        let mut all = Evaluated::default();
        let dataset = context.datasets.of(run)?;
        let stage = |name| Stage {
            id,
            name,
            partial: self.partial,
            context,
        };
        for suite in &dataset.suites {
            let evaluate =
                || evaluate_suite((run, id), suite.as_ref(), &mut model, (&dataset, context));
            let (items, scores) = stage(suite.name()).continued(activity, progress, evaluate)?;
            all.items.extend(items);
            all.scores.extend(scores);
        }
        for (corpus, most_tokens) in &dataset.corpora {
            let stage = stage(corpus.label());
            let of_model = (
                &mut model as &mut dyn LanguageModel,
                dataset.tokenizer.end(),
                run.model.decoder.seq_len,
            );
            let evaluate = || {
                let rows = held_out_rows(id, corpus, *most_tokens, of_model);
                let failed = |error| stage.failure(error);
                Ok((Vec::new(), rows.map_err(failed)?))
            };
            all.scores
                .extend(stage.continued(activity, progress, evaluate)?.1);
        }
        for task in context.tasks {
            let phase = format!("evaluating {}", task.name());
            activity.update(|activity| activity.phase = phase);
            all.evaluate(task, self, progress)?;
        }
        Ok(all)
    }

    fn write(
        &self,
        evaluated: &Evaluated,
        claim: &Claim,
        progress: &mut dyn Progress,
    ) -> Result<(), Failure> {
        if !claim.is_held() {
            return Err(Failure::TakenOver);
        }
        let (id, context) = (self.id, self.context);
        let folder = context.folders.sweep();
        when_space(folder, 0, context.interrupt, progress, || {
            context.records.write(id, &evaluated.items)?;
            context.records.write(id, &evaluated.scores)?;
            if evaluated.evaluations.is_empty() {
                return Ok(());
            }
            context.records.write(id, &evaluated.evaluations)
        })?;
        Ok(())
    }
}

/// The benchmarks of which `rows` state no evaluation with these items and settings.
pub fn missing<'a>(
    run: &Run,
    tasks: &'a [LoadedTask],
    rows: &[EvaluationRow],
) -> Vec<&'a LoadedTask> {
    let seq_len = run.model.decoder.seq_len;
    let missing = tasks.iter();
    missing
        .filter(|task| !task.is_evaluated(rows, seq_len))
        .collect()
}

impl Evaluated {
    /// Adds the rows of a benchmark, whose answers are kept beside the tokenizers.
    fn evaluate(
        &mut self,
        task: &LoadedTask,
        subject: &Subject,
        progress: &mut dyn Progress,
    ) -> Result<(), Failure> {
        let (run, context) = (subject.run, subject.context);
        progress.evaluating(task.name());
        let dataset = context.datasets.of(run)?;
        let tokenizer = &dataset.tokenizer;
        let mut model = BenchmarkModel {
            decoder: subject.decoder,
            device: context.device,
            tokenizer,
            // It precedes every document in training.
            start: Some(tokenizer.end()),
            space: run.model.decoder.seq_len,
            sequences: SEQUENCES_AT_ONCE,
            interrupt: context.interrupt,
        };
        let kept = Records::open(context.folders.cache())?;
        let rows = task.evaluate(subject.id, &mut model, subject.weights_hash, &kept);
        let rows = rows.map_err(|error| match error {
            _ if context.interrupt.requested() => Failure::Interrupted,
            Error::Records(error) => Failure::Records(error),
            other => Failure::Failed(other.to_string()),
        })?;
        self.items.extend(rows.items);
        self.scores.extend(rows.scores);
        self.evaluations.push(rows.evaluation);
        Ok(())
    }
}

/// Items and scores of one suite or corpus.
type StageRows = (Vec<ItemRow>, Vec<ScoreRow>);

/// The evaluation on one suite or corpus.
struct Stage<'a> {
    id: &'a str,
    name: &'a str,
    /// Folder of the rows of what is evaluated.
    partial: Option<&'a Path>,
    context: &'a RunContext<'a>,
}

impl Stage<'_> {
    /// The rows that an earlier process left, or those of `evaluate`, which are then kept.
    fn continued(
        &self,
        activity: &SharedActivity,
        progress: &mut dyn Progress,
        evaluate: impl FnOnce() -> Result<StageRows, Failure>,
    ) -> Result<StageRows, Failure> {
        let phase = format!("evaluating {}", self.name);
        activity.update(|activity| activity.phase = phase);
        let folder = self
            .partial
            .map(|folder| folder.join(folder_name(self.name)));
        let records = folder.map(Records::open).transpose()?;
        if let Some(records) = &records {
            // Scores are written after items: with them the stage is complete.
            let before = records.read_run::<ScoreRow>(self.id)?;
            if !before.is_empty() {
                return Ok((records.read_run::<ItemRow>(self.id)?, before));
            }
        }
        progress.evaluating(self.name);
        let (items, scores) = evaluate()?;
        if let Some(records) = &records {
            let interrupt = self.context.interrupt;
            when_space(records.folder(), 0, interrupt, progress, || {
                records.write(self.id, &items)?;
                records.write(self.id, &scores)
            })?;
        }
        Ok((items, scores))
    }

    fn failure(&self, error: SuiteError) -> Failure {
        match self.context.interrupt.requested() {
            true => Failure::Interrupted,
            false => Failure::Failed(format!("{}: {error}", self.name)),
        }
    }
}

/// A folder for a name: labels of corpora may have any characters.
fn folder_name(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_".contains(c);
    match name.chars().all(plain) {
        true => name.to_owned(),
        false => format!("corpus-{}", &blake3::hash(name.as_bytes()).to_hex()[..16]),
    }
}

fn evaluate_suite(
    (run, id): (&Run, &str),
    suite: &dyn Suite,
    model: &mut Interruptible<DecoderModel>,
    (dataset, context): (&Dataset, &RunContext),
) -> Result<StageRows, Failure> {
    let failed = |error: SuiteError| match context.interrupt.requested() {
        true => Failure::Interrupted,
        false => Failure::Failed(format!("{}: {error}", suite.name())),
    };
    let tokenizer = &dataset.tokenizer;
    let results = evaluate(suite, model, tokenizer, context.limits).map_err(failed)?;
    Ok((item_rows(id, &results), score_rows(id, &run.cost, &results)))
}
