//! The ranks other than 0: they train what rank 0 says.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use burn::tensor::Device;
use collectives::Collectives;
use experiment::budget::Tokens;
use experiment::sweep_file::DataConfig;
use experiment::training::Recompute;
use suites::Dataset;

use super::ending::{end_all, or_end_all};
use super::gathered::{AfterCheckpoint, answer};
use super::order::{Order, TrainOrder, receive};
use super::served_decoder::serve;
use super::step_end::{StepEnd, agree};
use crate::checkpoint::snapshot;
use crate::error::Error;
use crate::run::data::dataset;
use crate::run::identity::RunConfiguration;
use crate::run::initial_weights::initial_state;
use crate::run::interrupt::Interrupt;
use crate::train::state::TrainingState;
use crate::train::{TrainError, TrainSpec, train};

/// Follows rank 0 until it ends. An error or a panic here ends all ranks.
pub fn follow(ranks: &Arc<dyn Collectives>, device: &Device, interrupt: &Interrupt) {
    let mut follower = Follower {
        ranks,
        device,
        interrupt,
        data: None,
    };
    or_end_all(ranks.as_ref(), || {
        loop {
            match receive(ranks.as_ref()) {
                Order::Train(order) => match follower.train(*order) {
                    Ok(AfterCheckpoint::End) => return,
                    Ok(_) => {}
                    Err(error) => end_all(ranks.as_ref(), &error.to_string()),
                },
                Order::Evaluate(order) => {
                    if let Err(error) = serve(&order, device, ranks) {
                        end_all(ranks.as_ref(), &error.to_string());
                    }
                }
                Order::End => return,
                other => end_all(
                    ranks.as_ref(),
                    &format!("was told {other:?} outside a checkpoint"),
                ),
            }
        }
    });
}

struct Follower<'a> {
    ranks: &'a Arc<dyn Collectives>,
    device: &'a Device,
    interrupt: &'a Interrupt,
    /// Those of the latest run.
    data: Option<(DataConfig, Tokens, Dataset)>,
}

impl Follower<'_> {
    /// Trains a run to its end, or to where rank 0 leaves it.
    fn train(&mut self, order: TrainOrder) -> Result<AfterCheckpoint, Error> {
        let mut configuration =
            RunConfiguration::parse(&order.configuration).map_err(|problem| Error::Argument {
                argument: format!("the configuration of run {}", order.run),
                problem,
                remedy: "start the same program on all ranks".to_owned(),
            })?;
        let recompute = order.segment_layers.map(Recompute::Every);
        configuration.training.recompute = recompute.unwrap_or_default();
        configuration.training.zero_stage = order.zero_stage;
        self.prepare(&configuration.data, &order)?;
        let Some((.., dataset)) = &self.data else {
            return Ok(AfterCheckpoint::Leave);
        };
        let (ranks, interrupt) = (self.ranks, self.interrupt);
        let spec = TrainSpec {
            model: &configuration.model,
            training: &configuration.training,
            steps: configuration.steps,
            seed: configuration.seed,
            device: self.device,
            dataset,
            ranks,
        };
        let state = match &order.checkpoint {
            Some(folder) => checkpoint(folder, &order.run, &spec)?,
            None => initial_state(&spec)?.0,
        };
        let mut ended = None;
        let trained = train(&spec, state, &mut |_, state| {
            let own = StepEnd {
                interrupted: interrupt.requested(),
                ..StepEnd::default()
            };
            let agreed = agree(ranks.as_ref(), own);
            if agreed.writes_checkpoint() {
                let optimizer = Some(&state.optimizers.dense);
                ended = match answer(ranks.as_ref(), &state.decoder, optimizer) {
                    AfterCheckpoint::Continue => None,
                    other => Some(other),
                };
            }
            match agreed.stops() || ended.is_some() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        match trained {
            // Rank 0 saves the weights.
            Ok(trained) => Ok(answer(ranks.as_ref(), &trained.decoder, None)),
            // Rank 0 has the same error, and records it.
            Err(
                TrainError::Interrupted { .. }
                | TrainError::NonFinite { .. }
                | TrainError::Validation { .. }
                | TrainError::Config(_),
            ) => Ok(ended.unwrap_or(AfterCheckpoint::Continue)),
            Err(TrainError::Data(error)) => Err(error.into()),
        }
    }

    fn prepare(&mut self, data: &DataConfig, order: &TrainOrder) -> Result<(), Error> {
        let tokens = order.tokens;
        let has = |held: &(DataConfig, Tokens, Dataset)| held.0 == *data && held.1 == tokens;
        if !self.data.as_ref().is_some_and(has) {
            let prepared = dataset(data, tokens, &order.cache, &mut |_| {
                ControlFlow::Continue(())
            })?;
            self.data = Some((data.clone(), tokens, prepared));
        }
        match &self.data {
            Some((.., dataset)) if dataset.fingerprint == order.data_fingerprint => Ok(()),
            _ => Err(Error::Argument {
                argument: format!("the data in {}", order.cache.display()),
                problem: "are not those of rank 0".to_owned(),
                remedy: "give --output a folder that all ranks share".to_owned(),
            }),
        }
    }
}

/// The state in a checkpoint that rank 0 has verified; read by all ranks at the same time, each checks what it reads.
fn checkpoint(folder: &Path, run: &str, spec: &TrainSpec) -> Result<TrainingState, Error> {
    let manifest = snapshot::verify(folder, run)?;
    Ok(snapshot::read_state(folder, &manifest, spec)?)
}
