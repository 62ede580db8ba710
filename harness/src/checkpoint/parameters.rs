//! The dense parameters of a decoder by name.

use architectures::Decoder;
use burn::module::{Module, ModuleVisitor, Param, ParamId};
use burn::tensor::Tensor;

use super::tensor_file::TensorSpec;

/// Name and shape of every parameter, in the order of visits.
pub fn parameters(decoder: &Decoder) -> Vec<TensorSpec> {
    let mut specs = Vec::new();
    let mut path = Vec::new();
    decoder.visit(&mut Visit {
        path: &mut path,
        each: &mut EachSpec(&mut specs),
    });
    specs
}

/// Called for each parameter with its name.
pub trait EachParameter {
    /// One parameter.
    fn parameter<const D: usize>(&mut self, name: &str, id: ParamId, values: Tensor<D>);
}

/// Builds the names of parameters while a module is visited.
pub struct Visit<'a, E> {
    /// Names of the modules that are being visited; empty at the start.
    pub path: &'a mut Vec<String>,
    /// Called for each parameter.
    pub each: &'a mut E,
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

struct EachSpec<'a>(&'a mut Vec<TensorSpec>);

impl EachParameter for EachSpec<'_> {
    fn parameter<const D: usize>(&mut self, name: &str, _: ParamId, values: Tensor<D>) {
        self.0.push(TensorSpec {
            name: name.to_owned(),
            shape: values.dims().to_vec(),
        });
    }
}
