//! Two matrices with GELU: the feed-forward of GPT-2 and of "Physics of Language Models: Part 3.3" (Allen-Zhu & Li 2024).
//!
//! ```text
//! y = gelu(x W1 + b1) W2 + b2      x [tokens, d_model], W1 [d_model, d_ff], W2 [d_ff, d_model]
//! ```
//!
//! GELU is its tanh approximation, as in GPT-2, or exact (`exact_gelu`); they differ by at most 4.8e-4. `d_ff` is
//! `4 d_model` by default, whose two matrices have the parameters of a SwiGLU of hidden width `8 d_model / 3`. Cost per
//! token: `2 d_model d_ff + d_ff + d_model` parameters and `4 d_model d_ff` FLOPs.
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, mlp::MlpConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 3275, "d_model": 768, "n_layers": 12, "n_heads": 12, "seq_len": 512}"#).unwrap();
//! let cost = MlpConfig::default().cost(&decoder);
//! assert_eq!(cost.params_dense, 8 * 768 * 768 + 5 * 768);
//! assert_eq!(cost.forward(), 16 * 768 * 768);
//! ```

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig, MAX_HIDDEN};
use crate::context::Context;
use crate::cost::Cost;
use crate::init::Init;
use crate::knob::Knob;
use crate::linear::Linear;

/// What a solver may vary.
pub const KNOBS: &[Knob] = &[Knob::D_FF];

/// Options of the MLP.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MlpConfig {
    /// Hidden width; `4 d_model` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_ff: Option<usize>,
    /// GELU by the error function instead of its tanh approximation.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exact_gelu: bool,
}

impl MlpConfig {
    fn hidden(&self, decoder: &DecoderConfig) -> usize {
        self.d_ff.unwrap_or(4 * decoder.d_model)
    }
}

impl Architecture for MlpConfig {
    type Block = Mlp;

    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        ConfigError::within("d_ff", self.hidden(decoder), MAX_HIDDEN)
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let (d_model, d_ff) = (decoder.d_model, self.hidden(decoder));
        let biases = Cost::vector(d_ff) + Cost::vector(d_model);
        Cost::matrix(d_model, d_ff) + Cost::matrix(d_ff, d_model) + biases
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        Activations::stored(2 * self.hidden(decoder))
    }

    fn build(&self, builder: &mut Builder) -> Mlp {
        let (d_model, d_ff) = (builder.decoder.d_model, self.hidden(builder.decoder));
        let init = |inputs: usize| Init::TruncatedNormal((inputs as f64).powf(-0.5));
        Mlp {
            up: builder.biased_linear("up", d_model, d_ff, init(d_model)),
            down: builder.biased_linear("down", d_ff, d_model, init(d_ff)),
            exact_gelu: self.exact_gelu,
        }
    }
}

/// A GELU feed-forward.
#[derive(Module, Debug)]
pub struct Mlp {
    up: Linear,
    down: Linear,
    #[module(skip)]
    exact_gelu: bool,
}

impl Block for Mlp {
    fn forward(&self, x: Tensor<3>, _: &mut Context) -> Tensor<3> {
        let hidden = self.up.forward(x);
        self.down.forward(match self.exact_gelu {
            true => activation::gelu(hidden),
            false => activation::gelu_approximate(hidden),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    /// Values of both forms, computed in f64 with the C library's `erfc` and `tanh`.
    #[test]
    fn both_forms_of_gelu_equal_high_precision_values() {
        let x = [-3.0, -1.0, -0.1, 0.5, 2.0];
        let exact = [
            -0.004_049_694_095,
            -0.158_655_253_9,
            -0.046_017_216_27,
            0.345_731_230_6,
            1.954_499_736,
        ];
        let tanh = [
            -0.003_637_392_081,
            -0.158_808_009_4,
            -0.046_017_248_95,
            0.345_714_009_8,
            1.954_597_694,
        ];
        let tensor = || Tensor::<1>::from_floats(x, &Device::flex());
        for (found, expected) in [
            (activation::gelu(tensor()), exact),
            (activation::gelu_approximate(tensor()), tanh),
        ] {
            for (found, expected) in found.into_data().iter::<f64>().zip(expected) {
                assert!((found - expected).abs() < 1e-6, "{found} {expected}");
            }
        }
    }

    #[test]
    fn zero_input_without_biases_gives_zero() {
        let device = Device::flex();
        let decoder: DecoderConfig = serde_json::from_str(
            r#"{"vocab_size": 9, "d_model": 8, "n_layers": 1, "n_heads": 2, "seq_len": 8}"#,
        )
        .unwrap();
        let mlp = MlpConfig::default().build(&mut Builder::new(&decoder, 0, &device));
        let tokens = crate::Tokens::whole(Tensor::zeros([1, 3], &device));
        let mut pass = crate::Pass::evaluation();
        let y = mlp.forward(
            Tensor::zeros([1, 3, 8], &device),
            &mut Context::new(&tokens, &mut pass),
        );
        assert_eq!(y.abs().max().into_scalar::<f32>(), 0.0);
    }
}
