//! A training step of a decoder, as in the loop of `harness::train`.

use architectures::{Decoder, ModelConfig};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use experiment::training::{Division, TrainingConfig};
use harness::train::step::{LearningRates, Optimizers};
use harness::train::{Batch, backward};
use rand::Rng;
use random::stream;

use super::{BATCH, SEQ};
use crate::row::Work;

/// A training step of the decoder with the JSON `config`, with `micro_batches` micro-batches.
pub fn training_step(config: &str, micro_batches: usize) -> Work {
    let config: ModelConfig = serde_json::from_str(config).expect("a model");
    let mut training = DecoderStep::new(&config, micro_batches);
    let (parameters, table_parameters) = training.sizes();
    Work {
        step: Box::new(move || training.step()),
        parameters,
        table_parameters,
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
    pub fn new(model: &ModelConfig, micro_batches: usize) -> Self {
        let device = Device::flex().autodiff();
        let decoder = Decoder::new(model, 0, &device).expect("a decoder");
        let config = super::training(micro_batches);
        let vocab = model.decoder.vocab_size;
        Self {
            optimizers: Optimizers::new(&config),
            decoder: Some(decoder),
            config,
            batch: (
                tokens("inputs", vocab, &device),
                tokens("targets", vocab, &device),
            ),
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
        let rates = LearningRates::of(&self.config, 1.0);
        let norms = gradients.parameters.norms(&decoder);
        let updated = self
            .optimizers
            .update(decoder, gradients.parameters, norms, rates);
        self.decoder = Some(updated.0);
    }
}

fn tokens(name: &str, vocab: usize, device: &Device) -> Tensor<2, Int> {
    let mut rng = stream(0, name, 0);
    let tokens = (0..BATCH * SEQ).map(|_| rng.random_range(0..vocab as i64));
    Tensor::from_data(
        TensorData::new(tokens.collect::<Vec<_>>(), [BATCH, SEQ]),
        device,
    )
}
