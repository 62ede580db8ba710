//! Names and shapes of the dense parameters of a decoder.

use architectures::{Decoder, EachParameter, for_each_parameter};
use burn::module::ParamId;
use burn::tensor::Tensor;

use super::tensor_file::TensorSpec;

/// Name and shape of every parameter, in the order of visits.
pub fn parameters(decoder: &Decoder) -> Vec<TensorSpec> {
    let mut specs = Vec::new();
    for_each_parameter(decoder, &mut EachSpec(&mut specs));
    specs
}

struct EachSpec<'a>(&'a mut Vec<TensorSpec>);

impl EachParameter for EachSpec<'_> {
    fn parameter<const D: usize>(&mut self, name: &str, _: ParamId, values: Tensor<D>) {
        let shape = values.dims().to_vec();
        self.0.push(TensorSpec::single(name.to_owned(), shape));
    }
}
