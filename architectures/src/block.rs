//! The block of a decoder layer after attention, which this project compares: its traits, and the builder of parameters.

use crate::linear::Linear;
use burn::module::Param;
use burn::tensor::{Device, Tensor, TensorData};
use collectives::Collectives;
use rand::RngCore;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::activations::Activations;
use crate::buffer::{Buffer, Statistics};
use crate::config::{ConfigError, DecoderConfig};
use crate::context::{Context, Tokens};
use crate::cost::Cost;
use crate::host_copy;
use crate::init::Init;
use crate::kernels::table_memory::TableValues;
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

    /// What the update of its buffers reads of its parameters, `[n]` without autodiff; `None` if it reads nothing.
    fn read_by_update(&self) -> Option<Tensor<1>> {
        None
    }

    /// Updates its buffers, once after each optimizer step.
    ///
    /// # Arguments
    /// * `statistics`: sums over the whole batch of those that its forward passes recorded.
    /// * `read`: the values of [`Block::read_by_update`].
    fn update_buffers(&self, statistics: &Statistics, read: &[f32]) {
        let _ = (statistics, read);
    }
}

/// Updates the buffers of `blocks`; what they read of their parameters is copied to the host together.
pub(crate) fn update_buffers<'a, B: Block + 'a>(
    blocks: impl Iterator<Item = &'a B>,
    statistics: &Statistics,
) {
    let (mut lengths, mut read) = (Vec::new(), Vec::new());
    for block in blocks {
        let values = block.read_by_update();
        let len = values.as_ref().map_or(0, |values| values.dims()[0]);
        lengths.push((block, len));
        read.extend(values);
    }
    let read = match read.is_empty() {
        true => Vec::new(),
        false => host_copy::floats(Tensor::cat(read, 0)),
    };
    let mut rest = read.as_slice();
    for (block, len) in lengths {
        let (own, others) = rest.split_at(len);
        block.update_buffers(statistics, own);
        rest = others;
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
    /// The ranks that share the columns of each table; `None` if this process has whole tables.
    ranks: Option<Arc<dyn Collectives>>,
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
            ranks: None,
        }
    }

    /// The same builder with tables whose columns are split over `ranks`, with the values that whole tables would have. The width
    /// of every table must be divisible by the number of ranks: see [`crate::ModelConfig::check_ranks`].
    pub fn on_ranks(self, ranks: Arc<dyn Collectives>) -> Self {
        Self {
            ranks: (ranks.ranks() > 1).then_some(ranks),
            ..self
        }
    }

    /// The same builder with parameters from [`Init::fill_roughly`], for models that are timed and not trained.
    pub fn rough(self) -> Self {
        Self {
            rough: true,
            ..self
        }
    }

    fn fill_table(&self, init: Init, name: &str, values: TableValues) {
        match self.rough {
            true => init.fill_table_roughly(self.seed, name, values),
            false => init.fill_table(self.seed, name, values),
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

    /// A matrix without bias, `[inputs, outputs]`, of standard deviation `inputs^-0.5` (truncated normal). Its products are in
    /// the decoder's number format; a router's are taken back to f32 by `Linear::in_f32`.
    pub fn linear(&self, name: &str, inputs: usize, outputs: usize) -> Linear {
        let init = Init::TruncatedNormal((inputs as f64).powf(-0.5));
        Linear {
            weight: self.parameter(name, [inputs, outputs], init),
            bias: None,
            format: self.decoder.numeric_format,
        }
    }

    /// A matrix with a bias, initially zero.
    pub fn biased_linear(&self, name: &str, inputs: usize, outputs: usize, init: Init) -> Linear {
        Linear {
            weight: self.parameter(name, [inputs, outputs], init),
            bias: Some(self.parameter(&format!("{name}.bias"), [outputs], Init::Constant(0.0))),
            format: self.decoder.numeric_format,
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
        let (format, rounding) = (self.decoder.numeric_format, format!("{name}.rounding"));
        let (shape, device) = ([spec.rows, spec.width], self.device);
        let table = match &self.ranks {
            None => ValueTable::filled(shape, format, device, |values| {
                self.fill_table(init, &name, values);
            }),
            Some(ranks) => ValueTable::split(shape, format, device, ranks, |columns, values| {
                init.fill_table_columns(self.seed, &name, (spec.width, columns), values);
            }),
        };
        let table = table
            .with_learning_rate_factor(spec.learning_rate_factor)
            .with_rounding_bits(random::stream(self.seed, &rounding, 0).next_u64());
        if spec.shared {
            self.tables.insert(name, table.clone());
        }
        table
    }
}
