//! `x W + b` over the last dimension.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use crate::kernels::fused;

/// A matrix with an optional bias.
#[derive(Module, Debug)]
pub struct Linear {
    /// `[inputs, outputs]`
    pub weight: Param<Tensor<2>>,
    /// `[outputs]`
    pub bias: Option<Param<Tensor<1>>>,
}

impl Linear {
    /// `x [.., inputs]` to `[.., outputs]`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let mut dims = x.dims();
        let weight = self.weight.val();
        let [inputs, outputs] = weight.dims();
        let rows = dims.iter().product::<usize>() / inputs;
        let mut y = fused::weight_product(x.reshape([rows, inputs]), weight);
        if let Some(bias) = &self.bias {
            y = y + bias.val().unsqueeze();
        }
        dims[D - 1] = outputs;
        y.reshape(dims)
    }
}
