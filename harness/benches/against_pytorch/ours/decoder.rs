//! A training step of a whole decoder: the loop body of `harness::train`.

use architectures::{Decoder, LazyAdam, ModelConfig, random::stream};
use burn::module::Module;
use burn::optim::ModuleOptimizer;
use burn::tensor::{Device, Int, Tensor, TensorData};
use harness::train::{Batch, TrainingConfig, backward, optimizer};
use rand::Rng;

use super::{BATCH, SEQ};
use crate::row::Work;

/// The step of the decoder that `config` describes, the batch in `micro_batches` parts.
pub fn training_step(config: &str, micro_batches: usize) -> Work {
    let config: ModelConfig = serde_json::from_str(config).expect("a model");
    let mut training = Training::new(&config, micro_batches);
    let (parameters, table_parameters) = training.sizes();
    Work {
        step: Box::new(move || training.step()),
        parameters,
        table_parameters,
    }
}

/// A decoder with its optimizers and the batch that it sees.
pub struct Training {
    /// None while it is being updated.
    decoder: Option<Decoder>,
    dense: ModuleOptimizer,
    tables: LazyAdam,
    config: TrainingConfig,
    batch: Batch,
}

impl Training {
    /// A fresh decoder and random tokens.
    pub fn new(model: &ModelConfig, micro_batches: usize) -> Self {
        let device = Device::flex().autodiff();
        let decoder = Decoder::new(model, 0, &device).expect("a decoder");
        let config = super::training(micro_batches);
        let vocab = model.decoder.vocab_size;
        Self {
            dense: optimizer::adamw(&config, &decoder),
            tables: optimizer::lazy_adam(&config),
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
        let outcome = backward::backward(&decoder, self.batch.clone(), self.config.micro_batches);
        let (gradients, _) = optimizer::clip(&decoder, outcome.gradients, self.config.clip_norm);
        self.decoder = Some(
            self.dense
                .step(self.config.learning_rate, decoder, gradients),
        );
        for (table, parts) in outcome.table_gradients {
            table.update(parts, &self.tables, self.config.table_learning_rate);
        }
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
