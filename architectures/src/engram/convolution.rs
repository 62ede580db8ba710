//! The causal convolution of Engram.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::block::Builder;
use crate::context::Context;
use crate::init::Init;
use crate::norm::RmsNorm;

/// A causal depthwise convolution after a norm.
#[derive(Module, Debug)]
pub struct Convolution {
    norm: RmsNorm,
    /// `[kernel, d_model]`, the last for the present token.
    pub taps: Param<Tensor<2>>,
    #[module(skip)]
    dilation: usize,
}

impl Convolution {
    /// With taps of zero.
    pub fn build(builder: &Builder, kernel: usize, dilation: usize) -> Self {
        let shape = [kernel, builder.decoder.d_model];
        Self {
            norm: RmsNorm::build(builder, "convolution.norm"),
            taps: builder.parameter("convolution", shape, Init::Constant(0.0)),
            dilation,
        }
    }

    /// `x [batch, seq, d_model]`; in cached decoding continued from the tail of the tokens before.
    pub fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3> {
        let [batch, seq, d_model] = x.dims();
        let taps = self.taps.val();
        let [kernel, _] = taps.dims();
        let past = (kernel - 1) * self.dilation;
        let x = self.norm.forward(x);
        let before = context.decoding.as_ref().and_then(|state| state.0.clone());
        let before = before.unwrap_or_else(|| Tensor::zeros([batch, past, d_model], &x.device()));
        let x = Tensor::cat(vec![before, x], 1);
        if let Some(state) = &mut context.decoding {
            state.0 = Some(x.clone().narrow(1, seq, past));
        }
        let terms = (0..kernel).map(|tap| {
            let weight = taps.clone().narrow(0, tap, 1).reshape([1, 1, d_model]);
            x.clone().narrow(1, tap * self.dilation, seq) * weight
        });
        let sum = terms.reduce(|sum, term| sum + term);
        sum.unwrap_or_else(|| Tensor::zeros([batch, seq, d_model], &x.device()))
    }
}
