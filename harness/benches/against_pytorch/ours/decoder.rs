//! A training step of a decoder, as in the loop of `harness::train`.

use architectures::{Decoder, ModelConfig, TokenIds};
use burn::module::Module;
use burn::tensor::Device;
use experiment::training::{Division, TrainingConfig};
use harness::train::step::{LearningRates, Optimizers};
use harness::train::{Batch, backward};
use rand::Rng;
use random::stream;
use serde_json::Value;

use crate::demand::Demand;
use crate::row::Work;

/// Size of a batch.
#[derive(Clone, Copy)]
pub struct BatchShape {
    /// Sequences.
    pub batch: usize,
    /// Tokens of each.
    pub seq: usize,
}

/// A training step of the decoder with this configuration, with `micro_batches` micro-batches.
///
/// # Panics
/// If the configuration is invalid.
pub fn training_step(config: &Value, batch: BatchShape, micro_batches: usize) -> Work {
    let config: ModelConfig = serde_json::from_value(config.clone()).expect("a model");
    let mut training = DecoderStep::new(&config, batch, micro_batches);
    let (parameters, table_parameters) = training.sizes();
    let cost = config.cost().expect("a model");
    Work {
        step: Box::new(move || training.step()),
        parameters,
        table_parameters,
        demand: Some(Demand::training(&cost, batch.batch * batch.seq)),
    }
}

/// A decoder with its optimizers and a constant batch.
pub struct DecoderStep {
    /// `None` during an update.
    decoder: Option<Decoder>,
    optimizers: Optimizers,
    config: TrainingConfig,
    batch: Batch,
}

impl DecoderStep {
    /// A new decoder, with random tokens.
    ///
    /// # Panics
    /// If `model` is invalid.
    pub fn new(model: &ModelConfig, batch: BatchShape, micro_batches: usize) -> Self {
        let device = Device::flex().autodiff();
        let decoder = Decoder::new(model, 0, &device).expect("a decoder");
        let config = super::training_of(batch.batch, micro_batches);
        let tokens = |name| tokens(name, model.decoder.vocab_size, batch, &device);
        Self {
            optimizers: Optimizers::new(&config),
            decoder: Some(decoder),
            config,
            batch: (tokens("inputs"), tokens("targets").on_device()),
        }
    }

    /// Numbers of dense parameters and of parameters of value tables.
    fn sizes(&self) -> (usize, usize) {
        let decoder = self.decoder.as_ref().expect("not during an update");
        let tables = decoder.tables().into_iter();
        (
            decoder.num_params(),
            tables.map(|table| table.rows() * table.width()).sum(),
        )
    }

    /// Runs one training step.
    pub fn step(&mut self) {
        let decoder = self.decoder.take().expect("not during an update");
        let gradients =
            backward::backward(&decoder, self.batch.clone(), Division::of(&self.config));
        let batch = gradients.into();
        let rates = LearningRates::of(&self.config, 1.0);
        let norms = self.optimizers.numbers(&decoder, &batch).norms;
        let updated = self
            .optimizers
            .update(decoder, batch.parameters, norms, rates);
        self.decoder = Some(updated.0);
    }
}

fn tokens(name: &str, vocab: usize, shape: BatchShape, device: &Device) -> TokenIds {
    let BatchShape { batch, seq } = shape;
    let mut rng = stream(0, name, 0);
    let tokens = (0..batch * seq).map(|_| rng.random_range(0..vocab as i64));
    TokenIds::from_host(tokens.collect(), [batch, seq], device)
}
