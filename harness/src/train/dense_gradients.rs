//! Sums of the dense gradients of several backward passes.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

/// `sum + part`, parameter by parameter of `module`. Memory of a part is freed as it is added.
pub fn add(module: &impl Module, sum: GradientsParams, part: GradientsParams) -> GradientsParams {
    let mut added = GradientSum { sum, part };
    module.visit(&mut added);
    added.sum
}

/// Adds the dense gradients `part` to `sum`, parameter by parameter.
struct GradientSum {
    sum: GradientsParams,
    part: GradientsParams,
}

impl ModuleVisitor for GradientSum {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let gradient = match (
            self.sum.remove::<D>(param.id),
            self.part.remove::<D>(param.id),
        ) {
            (Some(sum), Some(part)) => sum + part,
            (Some(one), None) | (None, Some(one)) => one,
            // A parameter outside the segment, or an expert to which no token of the batch is routed.
            (None, None) => return,
        };
        self.sum.register(param.id, gradient);
    }
}
