//! Lazy Adam for value tables, the sum of squares of dense gradients, and clipping by their norm.

use architectures::LazyAdam;
use architectures::kernels::fused;
use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use experiment::training::TrainingConfig;

/// Lazy Adam without weight decay, for value tables.
pub fn lazy_adam(training: &TrainingConfig) -> LazyAdam {
    LazyAdam {
        beta_1: training.beta_1 as f32,
        beta_2: training.beta_2 as f32,
        epsilon: training.epsilon as f32,
        max_norm: (training.table_clip_norm > 0.0).then_some(training.table_clip_norm as f32),
        moments: training.table_moments,
    }
}

/// The square of the global norm of all gradients, `[1]`; `None` if there are none.
///
/// Burn's clipping is per parameter, which changes the direction of the gradient.
pub fn square_sum(module: &impl Module, gradients: &GradientsParams) -> Option<Tensor<1>> {
    let mut sums = SquareSums {
        gradients,
        squares: Vec::new(),
    };
    module.visit(&mut sums);
    match sums.squares.is_empty() {
        true => None,
        false => Some(Tensor::cat(sums.squares, 0).sum()),
    }
}

/// Scales all gradients, whose global norm is `norm`, so that it is at most `max_norm`; 0 for no limit.
pub fn clip(
    module: &impl Module,
    gradients: GradientsParams,
    norm: f64,
    max_norm: f64,
) -> GradientsParams {
    if max_norm == 0.0 || norm <= max_norm {
        return gradients;
    }
    let mut scale = GradientScaling {
        gradients,
        factor: max_norm / norm,
    };
    module.visit(&mut scale);
    scale.gradients
}

/// Collects the sum of squares, `[1]`, of each gradient.
struct SquareSums<'a> {
    gradients: &'a GradientsParams,
    squares: Vec<Tensor<1>>,
}

impl ModuleVisitor for SquareSums<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.get::<D>(param.id) {
            self.squares.push(fused::square_sum(gradient));
        }
    }
}

/// Multiplies each gradient by `factor`.
struct GradientScaling {
    gradients: GradientsParams,
    factor: f64,
}

impl ModuleVisitor for GradientScaling {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = self.gradients.remove::<D>(param.id) {
            self.gradients
                .register(param.id, gradient.mul_scalar(self.factor));
        }
    }
}
