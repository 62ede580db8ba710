//! The block of a decoder layer after attention, which this project compares: its traits, and the builder of parameters.

use crate::linear::Linear;
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use std::collections::{BTreeMap, HashMap};

use crate::activations::Activations;
use crate::buffer::{Buffer, Statistics};
use crate::config::{ConfigError, DecoderConfig};
use crate::context::{Context, Tokens};
use crate::cost::Cost;
use crate::init::Init;
use crate::table_spec::TableSpec;
use crate::value_table::ValueTable;

/// A block with its parameters.
pub trait Block {
    /// Output `[batch, seq, d_model]`, which the decoder adds at the block's [`crate::Site`], for hidden states
    /// `x [batch, seq, d_model]`, normalised unless [`Architecture::reads_residual_stream`].
    fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3>;

    /// Its value tables, parameters that are not part of its `Module`.
    fn tables(&self) -> Vec<&ValueTable> {
        Vec::new()
    }

    /// Requests the table rows from memory whose addresses follow from the token ids alone; called before the forward pass.
    fn prefetch(&self, tokens: &Tokens) {
        let _ = tokens;
    }

    /// Its state that no gradient trains, saved with the weights.
    fn buffers(&self) -> Vec<&Buffer> {
        Vec::new()
    }

    /// Updates its buffers, once after each optimizer step; `statistics` are the sums over the whole batch of those that
    /// its forward passes recorded.
    fn update_buffers(&self, statistics: &Statistics) {
        let _ = statistics;
    }
}

/// A block's configuration: validation, cost and construction, independent of other blocks.
pub trait Architecture {
    /// The block of this configuration.
    type Block: Block;

    /// Validates the configuration.
    ///
    /// # Errors
    /// If the block cannot be built in this decoder.
    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError>;

    /// Its value tables, of any widths. Shared tables of one name are one table.
    fn tables(&self, decoder: &DecoderConfig) -> Vec<TableSpec> {
        let _ = decoder;
        Vec::new()
    }

    /// Integers by name that follow from the configuration and from the path of the block's parameters in the model, such as
    /// `layers.1.before_attention.0`: what other programs need beside the weights to compute the block.
    fn constants(&self, path: &str) -> BTreeMap<String, Vec<i64>> {
        let _ = path;
        BTreeMap::new()
    }

    /// Whether the block reads the residual stream itself before attention, because it normalises what it reads.
    fn reads_residual_stream(&self) -> bool {
        false
    }

    /// Cost of one token, by formula, without the parameters of [`Architecture::tables`].
    fn cost(&self, decoder: &DecoderConfig) -> Cost;

    /// What the forward pass of one token leaves in memory, without its input. By default an estimate: the outputs of the
    /// matrix products, each of `d_model` inputs, and one row of each table.
    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        let outputs = self.cost(decoder).matmul / (2 * decoder.d_model as u64);
        let widths = self.tables(decoder).iter().map(|table| table.width).sum();
        Activations::stored(outputs as usize).with_entries(0, 0, widths)
    }

    /// Builds the block of one layer.
    fn build(&self, builder: &mut Builder) -> Self::Block;
}

/// Initialises parameters by name on a device; tables are shared by name within one model.
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

    /// The same builder with parameters from [`Init::fill_roughly`], for models that are timed and not trained.
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

    /// Prefixes the names of the parameters initialised in `build` with `part`.
    pub fn within<T>(&mut self, part: &str, build: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.path.len();
        self.path.push_str(part);
        self.path.push('.');
        let built = build(self);
        self.path.truncate(outer);
        built
    }

    /// The full name of `name` in the part that is being built.
    pub fn name(&self, name: &str) -> String {
        format!("{}{name}", self.path)
    }

    /// A parameter of `shape`.
    pub fn parameter<const D: usize>(
        &self,
        name: &str,
        shape: [usize; D],
        init: Init,
    ) -> Param<Tensor<D>> {
        let mut values = vec![0f32; shape.iter().product()];
        self.fill(init, &self.name(name), &mut values);
        let data = TensorData::new(values, shape);
        Param::from_tensor(Tensor::from_data(data, self.device))
    }

    /// Matrices without bias of one shape, `[parts, inputs, outputs]`; each is initialised as by
    /// [`Builder::linear`] with `name` in its part.
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

    /// A matrix with a bias, initially zero.
    pub fn biased_linear(&self, name: &str, inputs: usize, outputs: usize, init: Init) -> Linear {
        Linear {
            weight: self.parameter(name, [inputs, outputs], init),
            bias: Some(self.parameter(&format!("{name}.bias"), [outputs], Init::Constant(0.0))),
        }
    }

    /// The value table of `spec`, normal with standard deviation `std`: the existing one if the spec is shared and another
    /// block of this model has built it.
    pub fn table(&mut self, spec: &TableSpec, std: f64) -> ValueTable {
        if let Some(table) = self.tables.get(&spec.name).filter(|_| spec.shared) {
            return table.clone();
        }
        let name = match spec.shared {
            true => spec.name.clone(),
            false => self.name(&spec.name),
        };
        let init = Init::TruncatedNormal(std);
        let fill = |values: &mut [f32]| self.fill(init, &name, values);
        let table = ValueTable::filled(spec.rows, spec.width, self.device, fill)
            .with_learning_rate_factor(spec.learning_rate_factor);
        if spec.shared {
            self.tables.insert(name, table.clone());
        }
        table
    }
}
