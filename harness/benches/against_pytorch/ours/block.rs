//! A training step of one block, from the input of the layer and the gradient of its output.

use architectures::{
    AnyBlock, Architecture, Block, BlockConfig, Builder, Context, Cost, DecoderConfig, Part, Tokens,
};
use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use experiment::training::TrainingConfig;
use harness::train::step::{LearningRates, Optimizers, differentiate};

use super::{BATCH, SEQ};
use crate::demand::Demand;
use crate::row::Work;

/// Forward, gradients of parameters, tables and input, clipping and update of the block with the JSON `config`.
pub fn training_step(config: &str, d_model: usize) -> Work {
    let mut training = BlockStep::new(config, d_model);
    let (parameters, table_parameters) = training.sizes();
    Work {
        demand: Some(training.demand()),
        step: Box::new(move || training.step()),
        parameters,
        table_parameters,
    }
}

/// A block with its optimizers and a constant batch.
pub struct BlockStep {
    /// `None` during an update.
    block: Option<AnyBlock>,
    /// Of a token.
    cost: Cost,
    optimizers: Optimizers,
    config: TrainingConfig,
    x: Tensor<3>,
    output_gradient: Tensor<3>,
}

impl BlockStep {
    /// A new block of a decoder of width `d_model`, with random inputs.
    ///
    /// # Panics
    /// If `config` is invalid.
    pub fn new(config: &str, d_model: usize) -> Self {
        let device = Device::flex().autodiff();
        let block: BlockConfig = serde_json::from_str(config).expect("a block");
        let decoder = serde_json::json!({
            "vocab_size": 1, "d_model": d_model, "n_layers": 1, "n_heads": 1, "seq_len": SEQ,
        });
        let decoder: DecoderConfig = serde_json::from_value(decoder).expect("a decoder");
        block.check(&decoder).expect("a block that fits");
        let cost = Part::Block(block.clone()).cost(&decoder);
        let block = block.build(&mut Builder::new(&decoder, 0, &device));
        let config = super::training(1);
        let normal = |std| {
            Tensor::random(
                [BATCH, SEQ, d_model],
                Distribution::Normal(0.0, std),
                &device,
            )
        };
        Self {
            optimizers: Optimizers::new(&config),
            block: Some(block),
            cost,
            config,
            x: normal(1.0),
            output_gradient: normal(1.0 / (BATCH * SEQ) as f64),
        }
    }

    /// Numbers of dense parameters and of parameters of value tables.
    fn sizes(&self) -> (usize, usize) {
        let block = self.block.as_ref().expect("not during an update");
        let tables = block.tables().into_iter();
        (
            block.num_params(),
            tables.map(|table| table.rows() * table.width()).sum(),
        )
    }

    fn demand(&self) -> Demand {
        Demand::training(&self.cost, BATCH * SEQ)
    }

    /// Runs one training step.
    pub fn step(&mut self) {
        let block = self.block.take().expect("not during an update");
        let x = self.x.clone().require_grad();
        let gradients = differentiate(&block, &x.device(), 1.0, |block, pass| {
            let tokens = Tokens::whole(Tensor::zeros([BATCH, SEQ], &x.device()));
            let y = block.forward(x.clone(), &mut Context::new(&tokens, pass));
            (y * self.output_gradient.clone()).sum()
        });
        let batch = gradients.into();
        let rates = LearningRates::of(&self.config, 1.0);
        let norms = self.optimizers.numbers(&block, &batch).norms;
        let updated = self
            .optimizers
            .update(block, batch.parameters, norms, rates);
        self.block = Some(updated.0);
    }
}
