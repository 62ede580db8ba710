//! One training step of any module: gradients of a loss, clipping, updates of dense parameters and of value tables.
//!
//! Training, probes and benchmarks share this code, so that the timed step is the training step.

use std::sync::Arc;

use architectures::{HasBuffers, LazyAdam, Pass};
use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::{Device, Tensor};
use collectives::{Collectives, OneRank};
use experiment::training::{Schedule, TrainingConfig};

use super::dense_adamw::DenseAdamW;
use super::gradients::{
    DenseGradients, Gradients, ParameterGradients, SummedBatch, SummedGradients,
};
use super::losses::Losses;
use super::optimizer;
use super::own_update;
use super::step_numbers::{GradientNorms, StepNumbers};
use super::tables_norm::TablesNorm;

/// Loss and gradients of `scale` times the loss that `forward` returns, `[1]`, plus the auxiliary losses of its pass,
/// computed on a fork of the parameters of `module`.
pub fn differentiate<M: Module>(
    module: &M,
    device: &Device,
    scale: f64,
    forward: impl FnOnce(&M, &mut Pass) -> Tensor<1>,
) -> Gradients {
    let fork = module.clone().fork(device);
    let mut pass = Pass::training();
    let loss = forward(&fork, &mut pass) * scale;
    let auxiliary = pass.auxiliary_loss().map(|loss| loss * scale);
    let untracked = |loss: &Tensor<1>| loss.clone().inner();
    let losses = Losses::of_part(untracked(&loss), auxiliary.as_ref().map(untracked));
    let gradients = match auxiliary {
        Some(auxiliary) => loss + auxiliary,
        None => loss,
    }
    .backward();
    let statistics = pass.take_statistics();
    let tables = pass.into_table_gradients(&gradients);
    Gradients {
        losses,
        parameters: ParameterGradients {
            dense: GradientsParams::from_grads(gradients, &fork),
            tables,
            statistics,
        },
    }
}

/// Learning rates of one step.
#[derive(Clone, Copy, Debug)]
pub struct LearningRates {
    /// Learning rate of the dense parameters.
    pub dense: f64,
    /// Learning rate of the value tables.
    pub tables: f64,
}

impl LearningRates {
    /// The peak rates of `training` times `factor`.
    pub fn of(training: &TrainingConfig, factor: f64) -> Self {
        Self {
            dense: training.learning_rate * factor,
            tables: training.table_learning_rate * factor,
        }
    }

    /// The rates of `training` at the zero-based `step` of `steps`.
    pub fn at(training: &TrainingConfig, step: usize, steps: usize) -> Self {
        let factor =
            |schedule: Schedule| schedule.factor(step, steps, training.warmup, training.min_ratio);
        let of_tables = training.table_schedule.unwrap_or(training.schedule);
        Self {
            dense: training.learning_rate * factor(training.schedule),
            tables: training.table_learning_rate * factor(of_tables),
        }
    }
}

/// The optimizers of one module: AdamW for its dense parameters, lazy Adam for its value tables.
pub struct Optimizers {
    /// The optimizer of the dense parameters.
    pub dense: DenseAdamW,
    tables: LazyAdam,
    clip_norm: f64,
    /// Of the latest update, until the host has it.
    late: Option<TablesNorm>,
}

impl Optimizers {
    /// Optimizers with all moments zero.
    pub fn new(training: &TrainingConfig) -> Self {
        Self::on_ranks(training, &OneRank::shared())
    }

    /// As [`Optimizers::new`], of which each of `ranks` has the moments of a part of each dense parameter.
    pub fn on_ranks(training: &TrainingConfig, ranks: &Arc<dyn Collectives>) -> Self {
        Self {
            dense: DenseAdamW::on_ranks(training, ranks),
            tables: optimizer::lazy_adam(training),
            clip_norm: training.clip_norm,
            late: None,
        }
    }

    /// What the update of `module` by the gradients of `batch` depends on: the only copy to the host of a step that the host waits for.
    /// It has the norm of the tables' gradients of the update before, too. All ranks call this.
    pub fn numbers(&mut self, module: &impl Module, batch: &SummedBatch) -> StepNumbers {
        let late = self.late.take();
        StepNumbers::copied(batch, module, self.dense.ranks().as_ref(), late.as_ref())
    }

    /// Clips the gradients, whose norms are `norms`, and updates `module`, its value tables and its buffers;
    /// returns the module and the norm of the tables' gradients before clipping.
    pub fn update<M: Module + HasBuffers>(
        &mut self,
        module: M,
        gradients: impl Into<SummedGradients>,
        norms: GradientNorms,
        rates: LearningRates,
    ) -> (M, TablesNorm) {
        let gradients: SummedGradients = gradients.into();
        let (norm, most) = (norms.dense, self.clip_norm);
        let module = match gradients.dense {
            DenseGradients::Whole(whole) => {
                let clipped = optimizer::clip(&module, whole, norm, most);
                self.dense.step(rates.dense, module, clipped)
            }
            DenseGradients::Own(own) => {
                let clipped = own.clipped(norm, most);
                own_update::update(&mut self.dense, rates.dense, module, clipped)
            }
        };
        let tables = gradients.tables.into_iter();
        let of_tables =
            tables.map(|(table, parts)| table.update(parts, &self.tables, rates.tables));
        let tables_norm = TablesNorm::of(of_tables.collect());
        self.late = Some(tables_norm.clone());
        module.update_buffers(&gradients.statistics);
        (module, tables_norm)
    }
}
