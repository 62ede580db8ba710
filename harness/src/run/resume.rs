//! Where a run begins: after its training, at its latest intact checkpoint, or at the first step.

use std::collections::HashSet;
use std::path::PathBuf;

use results::{ItemRow, Records, ScoreRow, StepRow, UsageRow, WarningRow};

use super::disk_wait::when_space;
use super::execute::{Failure, RunContext};
use super::initial_weights::first_state;
use super::progress::Progress;
use crate::checkpoint::manifest::{Manifest, Origin};
use crate::checkpoint::snapshot;
use crate::checkpoint::store::{Intact, Store};
use crate::ranks::served_decoder::{ServedDecoder, served_decoder};
use crate::train::TrainSpec;
use crate::train::state::TrainingState;
use crate::train::warning::{Warning, WarningKind};

/// Where a run begins.
pub enum Beginning {
    /// Training has ended: the decoder, without autodiff, and the manifest of its weights.
    Trained(Box<(ServedDecoder, Manifest)>),
    /// Training begins or continues, with warnings to be recorded, and the folder of the checkpoint that it continues from.
    Training(Box<TrainingState>, Vec<Warning>, Option<PathBuf>),
}

/// The beginning of the run named `id`. Its recorded steps are cut to those before it, and its scores to none.
///
/// # Errors
/// If rows or checkpoints cannot be read or written, or the model's configuration is invalid. A damaged checkpoint is no error:
/// it is reported, and the one before it is used.
pub fn beginning(
    spec: &TrainSpec,
    id: &str,
    store: &Store,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<Beginning, Failure> {
    let recorded: Vec<StepRow> = context.records.read_run(id)?;
    let mut warnings = Vec::new();
    let mut unusable = |error: String, progress: &mut dyn Progress| {
        progress.notice(&format!("{error}; it is not used"));
        warnings.push(Warning {
            kind: WarningKind::DamagedCheckpoint,
            step: 0,
            subject: format!("checkpoint {}", warnings.len() + 1),
            value: f64::NAN,
            threshold: f64::NAN,
            detail: error,
        });
    };
    let weights = context.folders.weights(id);
    if weights.is_dir() && are_recorded(&recorded, spec, spec.steps) {
        let loaded = snapshot::verify(&weights, id).and_then(|manifest| {
            let (model, device) = (spec.model, spec.device);
            let decoder = served_decoder((&weights, id), &manifest, model, device, spec.ranks)?;
            Ok((decoder, manifest))
        });
        match loaded {
            Ok((decoder, manifest)) => {
                tracing::info!(run = id, "training has ended before: evaluating");
                return Ok(Beginning::Trained(Box::new((decoder, manifest))));
            }
            Err(error) => unusable(error.to_string(), progress),
        }
    }
    let latest = store.latest()?;
    for error in latest.unusable {
        unusable(error.to_string(), progress);
    }
    let (state, from) = match latest.intact {
        Some(intact) if are_recorded(&recorded, spec, intact.manifest.progress.step) => {
            match snapshot::read_state(&intact.folder, &intact.manifest, spec) {
                Ok(state) => (state, Some(intact)),
                Err(error) => {
                    unusable(error.to_string(), progress);
                    (first_state(spec, id, context, progress)?, None)
                }
            }
        }
        Some(_) => {
            progress.notice(
                "the recorded steps before the checkpoint are missing: the run starts again",
            );
            (first_state(spec, id, context, progress)?, None)
        }
        None => (first_state(spec, id, context, progress)?, None),
    };
    let Some(intact) = from else {
        store.clear(false)?;
        cut_rows(context, id, &recorded, 0, progress)?;
        return Ok(Beginning::Training(Box::new(state), warnings, None));
    };
    let mut state = state;
    let step = state.progress.step;
    state.progress.resumes += 1;
    progress.notice(&format!(
        "continues after step {step} of {}, from {}",
        spec.steps,
        intact.folder.display()
    ));
    cut_rows(context, id, &recorded, step, progress)?;
    warnings.iter_mut().for_each(|warning| warning.step = step);
    warnings.extend(continued_elsewhere(&intact, &context.origin));
    let from = Some(intact.folder);
    Ok(Beginning::Training(Box::new(state), warnings, from))
}

/// A warning if another build or processor computed the checkpoint: the result may then differ from that of an uninterrupted
/// run.
fn continued_elsewhere(intact: &Intact, own: &Origin) -> Option<Warning> {
    let before = &intact.manifest.written_by;
    (before != own).then(|| Warning {
        kind: WarningKind::ContinuedElsewhere,
        step: intact.manifest.progress.step,
        subject: "build".to_owned(),
        value: f64::NAN,
        threshold: f64::NAN,
        detail: format!(
            "steps so far: commit {} on {}; from here: commit {} on {}",
            before.commit, before.instruction_set, own.commit, own.instruction_set
        ),
    })
}

/// Whether every step up to `step` that is to be recorded is.
fn are_recorded(rows: &[StepRow], spec: &TrainSpec, step: usize) -> bool {
    let recorded: HashSet<u64> = rows.iter().map(|row| row.step).collect();
    (1..=step)
        .filter(|&step| spec.training.logs(step) || spec.training.validates(step, spec.steps))
        .all(|step| recorded.contains(&(step as u64)))
}

/// Deletes the rows of an earlier attempt after `step`, which would be mixed with the new ones.
fn cut_rows(
    context: &RunContext,
    id: &str,
    recorded: &[StepRow],
    step: usize,
    progress: &mut dyn Progress,
) -> Result<(), Failure> {
    let records: &Records = context.records;
    let before = |row: u64| row <= step as u64;
    let steps: Vec<StepRow> = recorded
        .iter()
        .filter(|row| before(row.step))
        .cloned()
        .collect();
    let mut warnings: Vec<WarningRow> = records.read_run(id)?;
    warnings.retain(|row| step > 0 && before(row.step));
    when_space(
        context.folders.sweep(),
        0,
        context.interrupt,
        progress,
        || {
            records.write(id, &steps)?;
            records.write(id, &warnings)?;
            records.write::<UsageRow>(id, &[])?;
            records.write::<ScoreRow>(id, &[])?;
            records.write::<ItemRow>(id, &[])
        },
    )?;
    Ok(())
}
