//! Evaluation of a trained decoder on all suites, continued where an earlier process stopped.

use std::path::Path;

use architectures::Decoder;
use results::{ItemRow, Records, ScoreRow};
use suites::{Dataset, LanguageModel, Suite, SuiteError, evaluate};

use super::activity::SharedActivity;
use super::claim::Claim;
use super::disk_wait::when_space;
use super::execute::{Failure, RunContext};
use super::interrupt::Interruptible;
use super::progress::Progress;
use crate::evaluate::held_out::held_out_rows;
use crate::evaluate::language_model::DecoderModel;
use crate::evaluate::scores::{item_rows, score_rows};
use experiment::plan::Run;

/// Sequences evaluated at a time: enough to use all cores, with less memory than training requires.
const SEQUENCES_AT_ONCE: usize = 64;

/// Rows of evaluated items and their scores.
pub type Evaluated = (Vec<ItemRow>, Vec<ScoreRow>);

/// Evaluates every suite, then replaces the rows of an earlier evaluation. Nothing is written to the records before all suites
/// are evaluated, since incomplete scores would be pooled like complete ones.
///
/// # Arguments
/// * `partial`: beside the decoder, the folder for rows of the suites that are evaluated, from which an interrupted evaluation
///   continues; without one it starts anew.
///
/// # Errors
/// [`Failure`]: an interrupt, an error of a suite, or rows that cannot be written.
pub fn evaluate_suites(
    run: &Run,
    id: &str,
    model: (&Decoder, Option<&Path>),
    claim: &Claim,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<(), Failure> {
    let (items, scores) = evaluated(run, id, model, &claim.activity, context, progress)?;
    if !claim.is_held() {
        return Err(Failure::TakenOver);
    }
    let folder = context.folders.sweep();
    when_space(folder, 0, context.interrupt, progress, || {
        context.records.write(id, &items)?;
        context.records.write(id, &scores)
    })?;
    Ok(())
}

/// Evaluates every suite, and records nothing.
///
/// # Errors
/// As [`evaluate_suites`].
pub fn evaluated(
    run: &Run,
    id: &str,
    (decoder, partial): (&Decoder, Option<&Path>),
    activity: &SharedActivity,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<Evaluated, Failure> {
    let mut model = Interruptible {
        model: DecoderModel::new(decoder, context.device, SEQUENCES_AT_ONCE),
        interrupt: context.interrupt,
    };
    let (mut items, mut scores) = (Vec::<ItemRow>::new(), Vec::<ScoreRow>::new());
    let dataset = context.datasets.of(run)?;
    for suite in &dataset.suites {
        let stage = Stage {
            id,
            name: suite.name(),
            partial,
            context,
        };
        let evaluate =
            || evaluate_suite((run, id), suite.as_ref(), &mut model, (&dataset, context));
        let (own_items, own_scores) = stage.continued(activity, progress, evaluate)?;
        items.extend(own_items);
        scores.extend(own_scores);
    }
    for (corpus, most_tokens) in &dataset.corpora {
        let stage = Stage {
            id,
            name: corpus.label(),
            partial,
            context,
        };
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
        scores.extend(stage.continued(activity, progress, evaluate)?.1);
    }
    Ok((items, scores))
}

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
        evaluate: impl FnOnce() -> Result<Evaluated, Failure>,
    ) -> Result<Evaluated, Failure> {
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
) -> Result<Evaluated, Failure> {
    let failed = |error: SuiteError| match context.interrupt.requested() {
        true => Failure::Interrupted,
        false => Failure::Failed(format!("{}: {error}", suite.name())),
    };
    let tokenizer = &dataset.tokenizer;
    let results = evaluate(suite, model, tokenizer, context.limits).map_err(failed)?;
    Ok((item_rows(id, &results), score_rows(id, &run.cost, &results)))
}
