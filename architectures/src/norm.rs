//! RMSNorm: `x / sqrt(mean(x^2) + epsilon) * gamma` over the last dimension (Zhang & Sennrich 2019).

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::block::Builder;
use crate::init::Init;
use crate::kernels::fused;

/// RMSNorm with its gain.
#[derive(Module, Debug)]
pub struct RmsNorm {
    gamma: Param<Tensor<1>>,
    #[module(skip)]
    epsilon: f64,
}

impl RmsNorm {
    /// With a gain of ones.
    pub fn build(builder: &Builder, name: &str) -> Self {
        Self {
            gamma: builder.parameter(name, [builder.decoder.d_model], Init::Constant(1.0)),
            epsilon: builder.decoder.norm_eps,
        }
    }

    /// Normalises `x [batch, seq, d_model]`.
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        fused::rms_norm(x, self.gamma.val(), self.epsilon)
    }
}
