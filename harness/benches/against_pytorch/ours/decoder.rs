//! A training step of a whole decoder: the loop body of `harness::train`.

use architectures::{Decoder, ModelConfig};
use burn::module::Module;
use burn::tensor::{Device, Int, Tensor, TensorData};
use experiment::training::TrainingConfig;
use harness::train::step::{LearningRates, Optimizers};
use harness::train::{Batch, backward};
use rand::Rng;
use random::stream;

use super::{BATCH, SEQ};
use crate::row::Work;

/// The step of the decoder that `config` describes, the batch in `micro_batches` parts.
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

/// A decoder with its optimizers and the batch that it sees.
pub struct DecoderStep {
    /// None while it is being updated.
    decoder: Option<Decoder>,
    optimizers: Optimizers,
    config: TrainingConfig,
    batch: Batch,
}

impl DecoderStep {
    /// A fresh decoder and random tokens.
    pub fn new(model: &ModelConfig, micro_batches: usize) -> Self {
        let device = Device::flex().autodiff();
        let decoder = Decoder::new(model, 0, &device).expect("a decoder");
        let config = super::training(micro_batches);
        let vocab = model.decoder.vocab_size;
        Self {
            optimizers: Optimizers::new(&config, &decoder),
            decoder: Some(decoder),
            config,
            batch: (
                tokens("inputs", vocab, &device),
                tokens("targets", vocab, &device),
            ),
        }
    }

    fn sizes(&self) -> (usize, usize) {
        let decoder = self.decoder.as_ref().expect("a decoder at rest");
        let tables = decoder.tables().into_iter();
        (
            decoder.num_params(),
            tables.map(|table| table.rows() * table.width()).sum(),
        )
    }

    /// One step.
    pub fn step(&mut self) {
        let decoder = self.decoder.take().expect("a decoder at rest");
        let gradients = backward::backward(&decoder, self.batch.clone(), self.config.micro_batches);
        let rates = LearningRates::of(&self.config, 1.0);
        let updated = self.optimizers.update(
            decoder,
            gradients.dense,
            gradients.tables,
            &gradients.statistics,
            rates,
        );
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
