//! AdamW over the dense parameters of a module, with moments that can be read and restored.
//!
//! On several ranks each has the moments of its own elements of every parameter (`element_ranges`) and updates those; the updated
//! elements of all ranks are then gathered (`own_update`). AdamW is elementwise, so that this gives the bits of one rank.
//!
//! Burn's `ModuleOptimizer` saves its state as one burnpack record in memory, whose reader refuses tensors above 10 GiB;
//! here a checkpoint reads the moments parameter by parameter.

use std::collections::HashMap;
use std::sync::Arc;

use architectures::AdamW;
use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::optim::{AdamWState, AdaptiveMomentumState, DynState, GradientsParams, Optimizer};
use burn::tensor::Tensor;
use collectives::{Collectives, OneRank};
use experiment::training::TrainingConfig;

use super::element_ranges::own_elements;

/// AdamW without weight decay for vectors, which are gains and biases.
pub struct DenseAdamW {
    decayed: AdamW,
    undecayed: AdamW,
    /// Of experts and product keys, which alone have three dimensions.
    of_parts: AdamW,
    /// On one rank of whole parameters, on several of the elements `[m]` of the rank.
    pub(super) states: HashMap<ParamId, DynState>,
    ranks: Arc<dyn Collectives>,
}

/// Moments of one parameter after `updates` updates.
pub struct Moments<const D: usize> {
    /// Number of updates of the parameter.
    pub updates: u64,
    /// Running mean of gradients.
    pub mean: Tensor<D>,
    /// Running mean of squared gradients.
    pub square: Tensor<D>,
}

impl DenseAdamW {
    /// An optimizer with all moments zero.
    pub fn new(training: &TrainingConfig) -> Self {
        Self::on_ranks(training, &OneRank::shared())
    }

    /// An optimizer with all moments zero, of which each of `ranks` has those of its elements.
    pub fn on_ranks(training: &TrainingConfig, ranks: &Arc<dyn Collectives>) -> Self {
        let decayed = AdamW {
            beta_1: training.beta_1 as f32,
            beta_2: training.beta_2 as f32,
            epsilon: training.epsilon as f32,
            weight_decay: training.weight_decay as f32,
            keep_where_zero: false,
        };
        Self {
            decayed,
            of_parts: AdamW {
                keep_where_zero: training.keep_unchosen,
                ..decayed
            },
            undecayed: AdamW {
                weight_decay: 0.0,
                ..decayed
            },
            states: HashMap::new(),
            ranks: ranks.clone(),
        }
    }

    /// The ranks that share the moments.
    pub fn ranks(&self) -> &Arc<dyn Collectives> {
        &self.ranks
    }

    /// Updates the parameters of `module` that have a gradient. On one rank.
    pub fn step<M: Module>(
        &mut self,
        learning_rate: f64,
        module: M,
        gradients: GradientsParams,
    ) -> M {
        module.map(&mut Update {
            optimizer: self,
            gradients,
            learning_rate,
        })
    }

    /// The optimizer of parameters of so many dimensions.
    pub(super) fn adamw(&self, dimensions: usize) -> AdamW {
        match dimensions {
            1 => self.undecayed,
            3 => self.of_parts,
            _ => self.decayed,
        }
    }

    /// Number of updates of the parameter `id` of `D` dimensions; `None` before its first.
    pub fn updates<const D: usize>(&self, id: ParamId) -> Option<u64> {
        match self.ranks.ranks() {
            1 => self.moments::<D>(id).map(|moments| moments.updates),
            _ => self.moments::<1>(id).map(|moments| moments.updates),
        }
    }

    /// The moments of the parameter `id` of `D` dimensions; `None` before its first update. On several ranks `D` is 1, and they are
    /// those of the elements `[m]` of this rank.
    pub fn moments<const D: usize>(&self, id: ParamId) -> Option<Moments<D>> {
        let state = self.states.get(&id)?.downcast_ref::<AdamWState<D>>();
        Some(Moments {
            updates: state.momentum.time as u64,
            mean: state.momentum.moment_1.clone(),
            square: state.momentum.moment_2.clone(),
        })
    }

    /// Sets the moments of the parameter `id`, of which a rank of several keeps those of its elements.
    pub fn restore<const D: usize>(&mut self, id: ParamId, moments: Moments<D>) {
        let Moments {
            updates,
            mean,
            square,
        } = moments;
        let (mean, square) = (mean.inner(), square.inner());
        let state = match self.ranks.ranks() {
            1 => state(updates, mean, square),
            _ => {
                let own = |moment| own_elements(moment, self.ranks.as_ref());
                state(updates, own(mean), own(square))
            }
        };
        self.states.insert(id, state);
    }
}

fn state<const D: usize>(updates: u64, mean: Tensor<D>, square: Tensor<D>) -> DynState {
    let momentum = AdaptiveMomentumState::new(updates as usize, mean, square);
    DynState::create(AdamWState::new(momentum), D)
}

struct Update<'a> {
    optimizer: &'a mut DenseAdamW,
    gradients: GradientsParams,
    learning_rate: f64,
}

impl ModuleMapper for Update<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, values, mapper) = param.consume();
        let Some(gradient) = self.gradients.remove::<D>(id) else {
            return Param::from_mapped_value(id, values, mapper);
        };
        let trainable = values.is_require_grad();
        let adamw = self.optimizer.adamw(D);
        let state = self.optimizer.states.remove(&id);
        let state = state.map(DynState::downcast::<AdamWState<D>>);
        let (values, state) = adamw.step(self.learning_rate, values.inner(), gradient, state);
        if let Some(state) = state {
            let state = DynState::create(state, D);
            self.optimizer.states.insert(id, state);
        }
        let values = Tensor::from_inner(values);
        let values = match trainable {
            true => values.require_grad(),
            false => values,
        };
        Param::from_mapped_value(id, values, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::module::Param;
    use burn::tensor::Device;

    #[derive(Module, Debug)]
    struct Pair {
        matrix: Param<Tensor<2>>,
        vector: Param<Tensor<1>>,
    }

    fn training() -> TrainingConfig {
        toml::from_str("batch_size = 1\nlearning_rate = 0.1\ntable_learning_rate = 0.1").unwrap()
    }

    fn pair() -> Pair {
        let device = Device::flex().autodiff();
        Pair {
            matrix: Param::from_tensor(Tensor::from_floats([[1.0, -2.0]], &device)),
            vector: Param::from_tensor(Tensor::from_floats([1.0], &device)),
        }
    }

    fn step(optimizer: &mut DenseAdamW, pair: Pair, factor: f64) -> Pair {
        let loss = (pair.matrix.val() * factor).sum() + (pair.vector.val() * factor).sum();
        let gradients = GradientsParams::from_grads(loss.backward(), &pair);
        optimizer.step(0.1, pair, gradients)
    }

    fn values(pair: &Pair) -> Vec<f32> {
        let matrix = pair.matrix.val().into_data();
        let vector = pair.vector.val().into_data();
        matrix.iter::<f32>().chain(vector.iter::<f32>()).collect()
    }

    #[test]
    fn only_matrices_decay() {
        let mut optimizer = DenseAdamW::new(&training());
        let after = values(&step(&mut optimizer, pair(), 0.0));
        assert_eq!(after[2], 1.0);
        assert!((after[0] - 0.99).abs() < 1e-6, "{after:?}");
    }

    #[test]
    fn restored_moments_continue_bit_for_bit() {
        let mut original = DenseAdamW::new(&training());
        let mut module = pair();
        for factor in [1.0, -0.3, 0.7] {
            module = step(&mut original, module, factor);
        }
        let mut restored = DenseAdamW::new(&training());
        let (matrix, vector) = (module.matrix.id, module.vector.id);
        assert!(restored.moments::<2>(matrix).is_none());
        restored.restore(matrix, original.moments::<2>(matrix).unwrap());
        restored.restore(vector, original.moments::<1>(vector).unwrap());
        let (one, other) = (module.clone(), module);
        let one = values(&step(&mut original, one, 0.2));
        assert_eq!(one, values(&step(&mut restored, other, 0.2)));
        assert_eq!(restored.moments::<1>(vector).unwrap().updates, 4);
    }
}
