//! A training step of one block, between a layer's input and the gradient of its output.

use architectures::{AnyBlock, Architecture, Block, BlockConfig, Builder, DecoderConfig};
use architectures::{LazyAdam, Pass, TableGradient, ValueTable};
use burn::module::Module;
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::{Device, Distribution, Tensor};
use harness::train::{TrainingConfig, optimizer};

use super::{BATCH, SEQ};
use crate::row::Work;

/// Forward, backward into parameters, tables and input, clipping and updates of the block that `config` describes.
pub fn training_step(config: &str, d_model: usize) -> Work {
    let mut training = Training::new(config, d_model);
    let (parameters, table_parameters) = training.sizes();
    Work {
        step: Box::new(move || training.step()),
        parameters,
        table_parameters,
    }
}

/// A block with its optimizers and the batch that it sees.
pub struct Training {
    /// None while it is being updated.
    block: Option<AnyBlock>,
    dense: ModuleOptimizer,
    tables: LazyAdam,
    config: TrainingConfig,
    x: Tensor<3>,
    arriving: Tensor<3>,
}

impl Training {
    /// A fresh block of a decoder of width `d_model`.
    pub fn new(config: &str, d_model: usize) -> Self {
        let device = Device::flex().autodiff();
        let block: BlockConfig = serde_json::from_str(config).expect("a block");
        let decoder = serde_json::json!({
            "vocab_size": 1, "d_model": d_model, "n_layers": 1, "n_heads": 1, "seq_len": SEQ,
        });
        let decoder: DecoderConfig = serde_json::from_value(decoder).expect("a decoder");
        block.check(&decoder).expect("a block that fits");
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
            dense: optimizer::adamw(&config, &block),
            tables: optimizer::lazy_adam(&config),
            block: Some(block),
            config,
            x: normal(1.0),
            arriving: normal(1.0 / (BATCH * SEQ) as f64),
        }
    }

    fn sizes(&self) -> (usize, usize) {
        let block = self.block.as_ref().expect("a block at rest");
        let tables = block.tables().into_iter();
        (
            block.num_params(),
            tables.map(|table| table.rows() * table.width()).sum(),
        )
    }

    /// One step.
    pub fn step(&mut self) {
        let block = self.block.take().expect("a block at rest");
        let (gradients, table_gradients) = self.differentiate(&block);
        let (gradients, _) = optimizer::clip(&block, gradients, self.config.clip_norm);
        self.block = Some(self.dense.step(self.config.learning_rate, block, gradients));
        for (table, parts) in table_gradients {
            table.update(parts, &self.tables, self.config.table_learning_rate);
        }
    }

    /// As a decoder's backward pass does it: on a fork of the parameters.
    fn differentiate(
        &self,
        block: &AnyBlock,
    ) -> (GradientsParams, Vec<(ValueTable, Vec<TableGradient>)>) {
        let block = block.clone().fork(&self.x.device());
        let mut pass = Pass::training();
        let x = self.x.clone().require_grad();
        let y = block.forward(x, &mut pass);
        let loss = (y * self.arriving.clone()).sum();
        let gradients = match pass.auxiliary_loss() {
            Some(auxiliary) => loss + auxiliary,
            None => loss,
        }
        .backward();
        let tables = pass.into_table_gradients(&gradients);
        (GradientsParams::from_grads(gradients, &block), tables)
    }
}
