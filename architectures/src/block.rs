//! The part of a decoder layer that comes after attention: what this project compares.

use crate::linear::Linear;
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::HashMap;

use crate::config::{ConfigError, DecoderConfig};
use crate::cost::Cost;
use crate::pass::Pass;
use crate::random::Init;
use crate::value_table::ValueTable;

/// A block as it runs.
pub trait Block {
    /// Hidden states in and out, `[batch, seq, d_model]`, already normed; the caller adds the residual.
    fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3>;

    /// The value tables it reads: parameters that its `Module` does not hold.
    fn tables(&self) -> Vec<&ValueTable> {
        Vec::new()
    }
}

/// A block as it is configured: checked, priced and built without reference to any other block.
pub trait Architecture {
    /// What it builds.
    type Block: Block;

    /// Refuses shapes that cannot be built in this decoder.
    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError>;

    /// The name of the table that this block shares with other layers of its model, if any.
    fn shares(&self, _decoder: &DecoderConfig) -> Option<String> {
        None
    }

    /// Columns of its value tables, all of them equally wide; none where it has no table.
    fn table_width(&self, _decoder: &DecoderConfig) -> Option<usize> {
        None
    }

    /// What one token costs, by formula. `shared` is true where an earlier layer already holds the shared table.
    fn cost(&self, decoder: &DecoderConfig, shared: bool) -> Cost;

    /// Builds the block of one layer.
    fn build(&self, builder: &mut Builder) -> Self::Block;
}

/// Hands out parameters: drawn by name, placed on the device, tables shared by name within one model.
pub struct Builder<'a> {
    /// The decoder that is being built.
    pub decoder: &'a DecoderConfig,
    device: &'a Device,
    seed: u64,
    path: String,
    tables: HashMap<String, ValueTable>,
}

impl<'a> Builder<'a> {
    /// A builder for one model on `device`.
    pub fn new(decoder: &'a DecoderConfig, seed: u64, device: &'a Device) -> Self {
        Self {
            decoder,
            device,
            seed,
            path: String::new(),
            tables: HashMap::new(),
        }
    }

    /// Names every parameter drawn inside `build` under `part`.
    pub fn within<T>(&mut self, part: &str, build: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.path.len();
        self.path.push_str(part);
        self.path.push('.');
        let built = build(self);
        self.path.truncate(outer);
        built
    }

    /// A parameter of `shape`.
    pub fn parameter<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        init: Init,
    ) -> Param<Tensor<D>> {
        let data = init.draw(self.seed, &format!("{}{name}", self.path), shape);
        Param::from_tensor(Tensor::from_data(data, self.device))
    }

    /// Matrices without bias of one shape, `[parts, inputs, outputs]`; each is drawn as [`Builder::linear`] draws the one
    /// called `name` within its part.
    pub fn stacked_linear(
        &self,
        part: &str,
        name: &str,
        [parts, inputs, outputs]: [usize; 3],
    ) -> Param<Tensor<3>> {
        let init = Init::TruncatedNormal((inputs as f64).powf(-0.5));
        let mut values = vec![0f32; parts * inputs * outputs];
        for (number, values) in values.chunks_mut(inputs * outputs).enumerate() {
            let name = format!("{}{part}.{number}.{name}", self.path);
            init.fill(self.seed, &name, values);
        }
        let data = TensorData::new(values, [parts, inputs, outputs]);
        Param::from_tensor(Tensor::from_data(data, self.device))
    }

    /// A matrix without bias, `[inputs, outputs]`, of standard deviation `inputs^-0.5` (truncated normal).
    pub fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Linear {
        let init = Init::TruncatedNormal((inputs as f64).powf(-0.5));
        Linear {
            weight: self.parameter(name, [inputs, outputs], init),
            bias: None,
        }
    }

    /// A matrix with a bias that starts at zero.
    pub fn biased_linear(&self, name: &str, inputs: usize, outputs: usize, init: Init) -> Linear {
        Linear {
            weight: self.parameter(name, [inputs, outputs], init),
            bias: Some(self.parameter(&format!("{name}.bias"), [outputs], Init::Constant(0.0))),
        }
    }

    /// A value table of this layer alone.
    pub fn table(&self, name: &str, rows: usize, width: usize, std: f64) -> ValueTable {
        let name = format!("{}{name}", self.path);
        ValueTable::new(&name, rows, width, std, self.seed, self.device)
    }

    /// The value table that all layers of this model share under `name`.
    pub fn shared_table(&mut self, name: &str, rows: usize, width: usize, std: f64) -> ValueTable {
        let (seed, device) = (self.seed, self.device);
        self.tables
            .entry(name.to_owned())
            .or_insert_with(|| ValueTable::new(name, rows, width, std, seed, device))
            .clone()
    }
}
