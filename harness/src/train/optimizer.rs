//! AdamW for dense parameters, lazy Adam for value tables, and clipping by the global norm.

use architectures::kernels::fused;
use architectures::{AdamW, LazyAdam};
use burn::module::{Module, ModuleVisitor, Param, ParamGroup, ParamId};
use burn::optim::{GradientsParams, ModuleOptimizer};
use burn::tensor::Tensor;

use experiment::training::TrainingConfig;

/// AdamW without weight decay for vectors, which are gains and biases.
pub fn adamw(training: &TrainingConfig, module: &impl Module) -> ModuleOptimizer {
    let decayed = AdamW {
        beta_1: training.beta_1 as f32,
        beta_2: training.beta_2 as f32,
        epsilon: training.epsilon as f32,
        weight_decay: training.weight_decay as f32,
    };
    let undecayed = AdamW {
        weight_decay: 0.0,
        ..decayed
    };
    let mut vectors = VectorIds(Vec::new());
    module.visit(&mut vectors);
    ModuleOptimizer::from(decayed).with_group(ParamGroup::from_ids(vectors.0), undecayed, None)
}

/// Lazy Adam without weight decay, for value tables.
pub fn lazy_adam(training: &TrainingConfig) -> LazyAdam {
    LazyAdam {
        beta_1: training.beta_1 as f32,
        beta_2: training.beta_2 as f32,
        epsilon: training.epsilon as f32,
        max_norm: (training.table_clip_norm > 0.0).then_some(training.table_clip_norm as f32),
    }
}

/// Scales all gradients so that their global norm is at most `max_norm`; returns them with the norm before scaling.
///
/// Burn's clipping is per parameter, which changes the direction of the gradient.
///
/// # Arguments
/// * `max_norm`: 0 for no limit.
pub fn clip(
    module: &impl Module,
    gradients: GradientsParams,
    max_norm: f64,
) -> (GradientsParams, f64) {
    let mut norm = SquareSums {
        gradients: &gradients,
        squares: Vec::new(),
    };
    module.visit(&mut norm);
    let squares = norm.squares;
    if squares.is_empty() {
        return (gradients, 0.0);
    }
    let norm = f64::from(Tensor::cat(squares, 0).sum().sqrt().into_scalar::<f32>());
    if max_norm == 0.0 || norm <= max_norm {
        return (gradients, norm);
    }
    let mut scale = GradientScaling {
        gradients,
        factor: max_norm / norm,
    };
    module.visit(&mut scale);
    (scale.gradients, norm)
}

/// Collects the ids of parameters of rank 1.
struct VectorIds(Vec<ParamId>);

impl ModuleVisitor for VectorIds {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if D == 1 {
            self.0.push(param.id);
        }
    }
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
