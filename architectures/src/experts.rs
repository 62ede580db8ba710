//! The routed experts of a mixture: SwiGLU feed-forwards with one stacked parameter for each matrix.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::activations::Activations;
use crate::block::Builder;
use crate::cost::Cost;
use crate::dense::Dense;
use crate::kernels::{experts, fused};
use crate::numeric_format::NumericFormat;
use crate::routing::Assignments;

/// `n_experts` SwiGLU feed-forwards of hidden width `d_ff`.
#[derive(Module, Debug)]
pub struct Experts {
    /// W1 and W3 of each expert side by side, `[n_experts, d_model, 2 d_ff]`.
    gate_up: Param<Tensor<3>>,
    /// W2 of each expert, `[n_experts, d_ff, d_model]`.
    down: Param<Tensor<3>>,
    #[module(skip)]
    format: NumericFormat,
}

impl Experts {
    /// Cost of `n_experts`, of which a token uses `per_token` on average.
    pub fn cost(d_model: usize, d_ff: usize, n_experts: usize, per_token: f64) -> Cost {
        let expert = Dense::cost(d_model, d_ff);
        let used = |of_expert: u64| (per_token * of_expert as f64).round() as u64;
        let mut cost = expert.times(n_experts);
        cost.params_active = used(expert.params_active);
        cost.matmul = used(expert.matmul);
        cost
    }

    /// Per token, of which `per_token` experts have a row on average: its copy, hidden widths, output, weight and places.
    pub fn activations(d_model: usize, d_ff: usize, per_token: f64) -> Activations {
        let of_row = 2 * d_model + 3 * d_ff + 12;
        Activations::stored((per_token * of_row as f64).round() as usize)
    }

    /// Initialises the matrices.
    pub fn build(builder: &Builder, n_experts: usize, d_ff: usize) -> Self {
        let d_model = builder.decoder.d_model;
        let stacked = |name, inputs, outputs| {
            builder.stacked_linear("experts", name, [n_experts, inputs, outputs])
        };
        Self {
            gate_up: stacked("gate_up", d_model, 2 * d_ff),
            down: stacked("down", d_ff, d_model),
            format: builder.decoder.numeric_format,
        }
    }

    /// The weighted sum of the outputs of each token's experts, `[tokens, d_model]`, for `x [tokens, d_model]` and one
    /// weight per assignment; zeros for a token without experts. Each expert has one product for all of its tokens.
    pub fn apply(&self, x: Tensor<2>, weights: Tensor<1>, assignments: &Assignments) -> Tensor<2> {
        let routes = assignments.routes();
        let x = experts::dispatch_tokens(x, routes);
        // As in the dense block, what is between the products stays in their format.
        let product = |x, matrices: &Param<Tensor<3>>| {
            let offsets = assignments.expert_offsets();
            experts::grouped_matmul(x, self.format.operand(matrices.val()), offsets)
        };
        let hidden = fused::swiglu(product(self.format.operand(x), &self.gate_up));
        let y = self.format.result(product(hidden, &self.down));
        experts::combine_outputs(y, weights, routes)
    }
}
