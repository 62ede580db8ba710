//! Dense SwiGLU, the baseline: every token uses every parameter.
//!
//! ```text
//! y = ( silu(x W1) * x W3 ) W2        x [tokens, d_model], W1 and W3 [d_model, d_ff], W2 [d_ff, d_model]
//! ```
//!
//! No biases (Shazeer 2020; Llama). Cost per token: `3 d_model d_ff` parameters, twice that in FLOPs.
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, dense::DenseConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 32000, "d_model": 2048, "n_layers": 22, "n_heads": 16, "seq_len": 4096}"#).unwrap();
//! // One feed-forward of the 1.3B model: 69.2 MFLOP per token.
//! let cost = DenseConfig::default().cost(&decoder);
//! assert_eq!(cost.forward(), 2 * 3 * 2048 * 5632);
//! ```

use crate::linear::Linear;
use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig, MAX_HIDDEN};
use crate::context::Context;
use crate::cost::Cost;
use crate::kernels::fused;
use crate::knob::Knob;

/// What a solver may vary.
pub const KNOBS: &[Knob] = &[Knob::D_FF];

/// Options of the dense block.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DenseConfig {
    /// Hidden width; the decoder's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_ff: Option<usize>,
}

impl Architecture for DenseConfig {
    type Block = Dense;

    fn check(&self, _: &DecoderConfig) -> Result<(), ConfigError> {
        ConfigError::within("d_ff", self.d_ff.unwrap_or(1), MAX_HIDDEN)
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        Dense::cost(decoder.d_model, self.d_ff.unwrap_or(decoder.hidden()))
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        Dense::activations(self.d_ff.unwrap_or(decoder.hidden()))
    }

    fn build(&self, builder: &mut Builder) -> Dense {
        Dense::build(builder, self.d_ff.unwrap_or(builder.decoder.hidden()))
    }
}

/// A SwiGLU feed-forward; also one expert of a mixture.
#[derive(Module, Debug)]
pub struct Dense {
    /// W1 and W3 side by side, `[d_model, 2 d_ff]`: one product instead of two.
    gate_up: Linear,
    down: Linear,
}

impl Dense {
    /// Cost of a feed-forward of hidden width `d_ff`.
    pub fn cost(d_model: usize, d_ff: usize) -> Cost {
        Cost::matrix(d_model, d_ff).times(2) + Cost::matrix(d_ff, d_model)
    }

    /// Gate and up, and their product.
    pub fn activations(d_ff: usize) -> Activations {
        Activations::stored(3 * d_ff)
    }

    /// Initialises the matrices.
    pub fn build(builder: &mut Builder, d_ff: usize) -> Self {
        let d_model = builder.decoder.d_model;
        Self {
            gate_up: builder.linear("gate_up", d_model, 2 * d_ff),
            down: builder.linear("down", d_ff, d_model),
        }
    }

    /// The block's equation for `x [tokens, d_model]`.
    pub fn apply(&self, x: Tensor<2>) -> Tensor<2> {
        self.down.forward(fused::swiglu(self.gate_up.forward(x)))
    }
}

impl Block for Dense {
    fn forward(&self, x: Tensor<3>, _: &mut Context) -> Tensor<3> {
        let shape = x.dims();
        let [batch, seq, d_model] = shape;
        self.apply(x.reshape([batch * seq, d_model])).reshape(shape)
    }
}
