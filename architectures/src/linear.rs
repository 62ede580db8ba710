//! `x W + b` over the last dimension.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::kernels::fused;
use crate::numeric_format::NumericFormat;

/// A matrix with an optional bias.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`
    pub bias: Option<Param<Tensor<1>>>,
    /// Format of the product; the bias is added in f32.
    #[module(skip)]
    pub format: NumericFormat,
}

impl Linear {
    /// The same with its product in f32.
    #[must_use]
    pub fn in_f32(self) -> Self {
        Self {
            format: NumericFormat::F32,
            ..self
        }
    }

    /// The product without bias of `x [rows, inputs]` in the format of products, in that format.
    pub(crate) fn product(&self, x: Tensor<2>) -> Tensor<2> {
        fused::weight_product(x, self.format.operand(self.weight.val()))
    }

    /// `x [.., inputs]` to `[.., outputs]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut dims = x.dims();
        let [inputs, outputs] = self.weight.dims();
        let rows = dims.iter().product::<usize>() / inputs;
        let x = self.format.operand(x.reshape([rows, inputs]));
        let mut y = self.format.result(self.product(x));
        if let Some(bias) = &self.bias {
            y = y + bias.val().unsqueeze();
        }
        dims[D - 1] = outputs;
        y.reshape(dims)
    }
}
