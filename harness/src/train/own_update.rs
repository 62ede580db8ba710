//! The update of dense parameters by several ranks: each updates its elements of every parameter, and gathers those of the others.

use std::collections::HashMap;
use std::sync::Arc;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::optim::{AdamWState, DynState, Optimizer};
use burn::tensor::Tensor;
use collectives::Collectives;

use super::dense_adamw::DenseAdamW;
use super::element_ranges::{Bucket, own_elements};

/// `module` after one step of `optimizer` by this rank's elements of the gradients, `[m]` with padding. All ranks call this.
pub fn update<M: Module>(
    optimizer: &mut DenseAdamW,
    learning_rate: f64,
    module: M,
    gradients: HashMap<ParamId, Tensor<1>>,
) -> M {
    let ranks = optimizer.ranks().clone();
    let mut update = UpdateOwn {
        optimizer,
        gradients,
        learning_rate,
        buckets: vec![Bucket::new()],
    };
    module.visit(&mut update);
    module.map(&mut Gather {
        ranks,
        buckets: update.buckets,
        gathered: HashMap::new(),
    })
}

/// Updates the elements of this rank.
struct UpdateOwn<'a> {
    optimizer: &'a mut DenseAdamW,
    /// By parameter, `[m]` with padding.
    gradients: HashMap<ParamId, Tensor<1>>,
    learning_rate: f64,
    /// The updated elements, in the order of visits.
    buckets: Vec<Bucket<ParamId>>,
}

impl ModuleVisitor for UpdateOwn<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let Some(gradient) = self.gradients.remove(&param.id) else {
            return;
        };
        let adamw = self.optimizer.adamw(D);
        let values = own_elements(param.val().inner(), self.optimizer.ranks().as_ref());
        let state = self.optimizer.states.remove(&param.id);
        let state = state.map(DynState::downcast::<AdamWState<1>>);
        let (values, state) = adamw.step(self.learning_rate, values, gradient, state);
        if let Some(state) = state {
            let state = DynState::create(state, 1);
            self.optimizer.states.insert(param.id, state);
        }
        if self.buckets.last().is_none_or(Bucket::is_full) {
            self.buckets.push(Bucket::new());
        }
        if let Some(bucket) = self.buckets.last_mut() {
            bucket.push(param.id, values);
        }
    }
}

/// Replaces the updated parameters by the elements of all ranks, bucket by bucket.
struct Gather {
    ranks: Arc<dyn Collectives>,
    buckets: Vec<Bucket<ParamId>>,
    gathered: HashMap<ParamId, Tensor<1>>,
}

impl Gather {
    /// All elements of the parameter `id`, with padding; `None` if it was not updated.
    fn elements(&mut self, id: ParamId) -> Option<Tensor<1>> {
        let holds = |bucket: &Bucket<ParamId>| bucket.has(|other| *other == id);
        if let Some(number) = self.buckets.iter().position(holds) {
            let bucket = self.buckets.remove(number);
            self.gathered.extend(bucket.all_gather(self.ranks.as_ref()));
        }
        self.gathered.remove(&id)
    }
}

impl ModuleMapper for Gather {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, values, mapper) = param.consume();
        let Some(elements) = self.elements(id) else {
            return Param::from_mapped_value(id, values, mapper);
        };
        let shape = values.dims();
        let updated = elements.narrow(0, 0, shape.iter().product()).reshape(shape);
        let updated = Tensor::from_inner(updated);
        let updated = match values.is_require_grad() {
            true => updated.require_grad(),
            false => updated,
        };
        Param::from_mapped_value(id, updated, mapper)
    }
}
