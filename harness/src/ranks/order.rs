//! What rank 0 tells the other ranks.

use std::path::PathBuf;
use std::sync::Arc;

use architectures::ModelConfig;
use collectives::Collectives;
use experiment::budget::Tokens;
use experiment::plan::Run;
use experiment::training::{Recompute, ZeroStage};
use serde::{Deserialize, Serialize};
use suites::Dataset;

use super::ending::end_all;
use crate::run::identity::configuration;

/// What the other ranks do next.
#[derive(Debug, Serialize, Deserialize)]
pub enum Order {
    /// Train a run.
    Train(Box<TrainOrder>),
    /// Send the moments of the parameter of this name.
    Moments(String),
    /// Write the own columns of all tables.
    Tables(TablesOrder),
    /// Serve the lookups of an evaluation.
    Evaluate(Box<EvaluateOrder>),
    /// The checkpoint is written: go on.
    Continue,
    /// The checkpoint cannot be written: leave the run.
    Leave,
    /// End: no run is left.
    End,
}

/// A run that the ranks train.
#[derive(Debug, Serialize, Deserialize)]
pub struct TrainOrder {
    /// Its configuration, as in its row.
    pub configuration: String,
    /// Layers of a segment that is evaluated again in the backward pass, which is no part of the configuration; none to store all
    /// activations.
    pub segment_layers: Option<usize>,
    /// What the ranks divide, which is no part of the configuration either.
    pub zero_stage: ZeroStage,
    /// Tokens of its data that are prepared.
    pub tokens: Tokens,
    /// Fingerprint of its data.
    pub data_fingerprint: String,
    /// The folder of prepared data.
    pub cache: PathBuf,
    /// Name of the run.
    pub run: String,
    /// The checkpoint that it continues from; none for its first step.
    pub checkpoint: Option<PathBuf>,
}

/// A trained model that rank 0 evaluates.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EvaluateOrder {
    /// The model.
    pub model: ModelConfig,
    /// The folder of its weights.
    pub weights: PathBuf,
    /// Name of the run.
    pub run: String,
}

impl TrainOrder {
    /// The order to train `run`, named `name`, from its checkpoint if it has one.
    ///
    /// # Errors
    /// If its configuration cannot be written.
    pub fn of(
        (run, name): (&Run, &str),
        dataset: &Dataset,
        cache: PathBuf,
        checkpoint: Option<PathBuf>,
    ) -> Result<Self, toml::ser::Error> {
        Ok(Self {
            configuration: configuration(run)?,
            segment_layers: match run.training.recompute {
                Recompute::None => None,
                Recompute::Every(layers) => Some(layers),
            },
            zero_stage: run.training.zero_stage,
            tokens: run.stream_tokens(),
            data_fingerprint: dataset.fingerprint.clone(),
            cache,
            run: name.to_owned(),
            checkpoint,
        })
    }
}

/// Files of tables whose columns are split over ranks.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct TablesOrder {
    /// The folder that they are written to.
    pub folder: PathBuf,
    /// Whether moments are written too.
    pub with_moments: bool,
    /// Most bytes of tensors in one file.
    pub file_bytes: u64,
}

/// Gives `order` to the other ranks. To be called by rank 0.
pub fn give(ranks: &dyn Collectives, order: &Order) {
    if ranks.ranks() == 1 {
        return;
    }
    match serde_json::to_vec(order) {
        Ok(text) => drop(ranks.all_gather_bytes(&text)),
        Err(error) => end_all(ranks, &format!("an order cannot be written: {error}")),
    }
}

/// The next order of rank 0. To be called by the other ranks; waits until there is one.
pub fn receive(ranks: &dyn Collectives) -> Order {
    let all = ranks.all_gather_bytes(&[]);
    let text = all.first().map_or(&[][..], Vec::as_slice);
    match serde_json::from_slice(text) {
        Ok(order) => order,
        Err(error) => end_all(
            ranks,
            &format!("an order of rank 0 cannot be read: {error}"),
        ),
    }
}

/// Rank 0 while it leads. Dropping it ends the other ranks.
pub struct Leader(Arc<dyn Collectives>);

impl Leader {
    /// Rank 0 of `ranks` leads.
    pub fn new(ranks: &Arc<dyn Collectives>) -> Self {
        Self(ranks.clone())
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let ranks = self.0.as_ref();
        match std::thread::panicking() {
            // The others may be in another operation.
            true if ranks.ranks() > 1 => end_all(ranks, "panicked"),
            true => {}
            false => give(ranks, &Order::End),
        }
    }
}
