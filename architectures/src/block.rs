//! The part of a decoder layer that comes after attention: what this project compares.

use crate::linear::Linear;
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::HashMap;

use crate::config::{ConfigError, DecoderConfig};
use crate::cost::Cost;
use crate::init::Init;
use crate::pass::Pass;
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

    /// Checks the shape.
    ///
    /// # Errors
    /// For a shape that cannot be built in this decoder.
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
    rough: bool,
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
            rough: false,
            path: String::new(),
            tables: HashMap::new(),
        }
    }

    /// The same, with parameters by [`Init::fill_roughly`]: for what is timed and never trained.
    pub fn rough(self) -> Self {
        Self {
            rough: true,
            ..self
        }
    }

    fn fill(&self, init: Init, name: &str, values: &mut [f32]) {
        match self.rough {
            true => init.fill_roughly(self.seed, name, values),
            false => init.fill(self.seed, name, values),
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
        let mut values = vec![0f32; shape.iter().product()];
        self.fill(init, &format!("{}{name}", self.path), &mut values);
        let data = TensorData::new(values, shape);
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
            self.fill(init, &name, values);
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
        self.filled_table(&format!("{}{name}", self.path), rows, width, std)
    }

    /// The value table that all layers of this model share under `name`.
    pub fn shared_table(&mut self, name: &str, rows: usize, width: usize, std: f64) -> ValueTable {
        if let Some(held) = self.tables.get(name) {
            return held.clone();
        }
        let table = self.filled_table(name, rows, width, std);
        self.tables.insert(name.to_owned(), table.clone());
        table
    }

    fn filled_table(&self, name: &str, rows: usize, width: usize, std: f64) -> ValueTable {
        let init = Init::TruncatedNormal(std);
        ValueTable::filled(rows, width, self.device, |values| {
            self.fill(init, name, values)
        })
    }
}
