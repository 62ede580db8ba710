//! The parameters of a decoder by name. Value tables and buffers are not among them.
//!
//! A name is the path of modules to a parameter, such as `layers.0.frame.attention.qkv.weight`; a block's path contains its
//! type, as in `layers.0.block.Dense.down.weight`.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Tensor, TensorData};

use crate::decoder::Decoder;

/// Called for each parameter with its name.
pub trait EachParameter {
    /// One parameter.
    fn parameter<const D: usize>(&mut self, name: &str, id: ParamId, values: Tensor<D>);
}

/// Calls `each` for every parameter of `decoder`, always in the same order.
pub fn for_each_parameter(decoder: &Decoder, each: &mut impl EachParameter) {
    decoder.visit(&mut Visit {
        path: Vec::new(),
        each,
    });
}

/// The decoder with the parameters for which `values` returns data.
///
/// # Arguments
/// * `values`: called with the name and the shape of every parameter; `None` keeps it.
///
/// # Panics
/// If the data have another shape.
pub fn replace_parameters(
    decoder: Decoder,
    values: &mut dyn FnMut(&str, &[usize]) -> Option<TensorData>,
) -> Decoder {
    decoder.map(&mut Replace {
        path: Vec::new(),
        values,
    })
}

struct Visit<'a, E> {
    /// Names of the modules that are being visited.
    path: Vec<String>,
    each: &'a mut E,
}

impl<E: EachParameter> ModuleVisitor for Visit<'_, E> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.each
            .parameter(&self.path.join("."), param.id, param.val());
    }
}

struct Replace<'a> {
    path: Vec<String>,
    values: &'a mut dyn FnMut(&str, &[usize]) -> Option<TensorData>,
}

impl ModuleMapper for Replace<'_> {
    fn enter_module(&mut self, name: &str, _: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let name = self.path.join(".");
        let tensor = match (self.values)(&name, &tensor.dims()) {
            Some(data) => {
                assert_eq!(data.shape()[..], tensor.dims()[..], "shape of {name}");
                let loaded = Tensor::from_data(data, &tensor.device());
                match tensor.is_require_grad() {
                    true => loaded.require_grad(),
                    false => loaded,
                }
            }
            None => tensor,
        };
        Param::from_mapped_value(id, tensor, mapper)
    }
}
