//! The state before the first step of a run: drawn from its seed, with the parameters of another model where `init_from` says so.

use std::path::Path;

use interchange::{InitialWeights, initialise};
use results::InitialWeightsRow;

use super::disk_wait::when_space;
use super::execute::{Failure, RunContext};
use super::progress::Progress;
use crate::error::Error;
use crate::train::TrainSpec;
use crate::train::state::TrainingState;

/// The first state of the run named `id`; what is taken from another model is reported and recorded.
///
/// # Errors
/// If the model's configuration is invalid, the other model cannot be used, or the row cannot be written.
pub fn first_state(
    spec: &TrainSpec,
    id: &str,
    context: &RunContext,
    progress: &mut dyn Progress,
) -> Result<TrainingState, Failure> {
    let (state, taken) = initial_state(spec).map_err(|error| match error {
        Error::Config(error) => Failure::Failed(error.to_string()),
        error => error.into(),
    })?;
    let Some(taken) = taken else {
        return Ok(state);
    };
    progress.notice(&format!(
        "{} of {} parameters are those of {}",
        taken.taken, taken.parameters, taken.folder
    ));
    let row = InitialWeightsRow {
        run: id.to_owned(),
        ..taken
    };
    let folder = context.folders.sweep();
    when_space(folder, 0, context.interrupt, progress, || {
        context.records.write(id, std::slice::from_ref(&row))
    })?;
    Ok(state)
}

/// The first state of a run, and what was taken from another model; its row names no run yet.
///
/// # Errors
/// If the model's configuration is invalid, or the other model cannot be used.
pub fn initial_state(
    spec: &TrainSpec,
) -> Result<(TrainingState, Option<InitialWeightsRow>), Error> {
    let state = TrainingState::new(spec)?;
    let Some(init_from) = &spec.training.init_from else {
        return Ok((state, None));
    };
    let from = InitialWeights {
        folder: Path::new(&init_from.folder),
        fingerprint: init_from.fingerprint.as_deref(),
        tokenizer: &spec.dataset.tokenizer,
    };
    let initialised = initialise(state.decoder, spec.model, &from)?;
    let row = InitialWeightsRow {
        run: String::new(),
        folder: init_from.folder.clone(),
        fingerprint: initialised.fingerprint,
        taken: initialised.taken,
        parameters: initialised.parameters,
    };
    let state = TrainingState {
        decoder: initialised.decoder,
        ..state
    };
    Ok((state, Some(row)))
}
