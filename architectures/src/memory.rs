//! Product-key memory: Memory and Memory+ of "Memory Layers at Scale" (2024), after Lample et al. (2019).
//!
//! ```text
//! slots, w = product_keys(x)                        [tokens, n_heads * top_k]
//! y        = sum_m w_m V[slots_m]                   V [n_keys^2, value_dim]
//! Memory   : o = y            (y Wv, when value_dim differs from d_model)
//! Memory+  : o = ( y * silu(x W1 + b1) ) W2 + b2    equation 2; W1 [d_model, value_dim], W2 [value_dim, d_model]
//! ```
//!
//! Memory+ is three centred layers with `gate` and `shared_values`: one table for all layers, keys and
//! gates per layer. Cost per token in addition to the product keys: `2 n_heads top_k value_dim` for the lookup, `4 d_model value_dim` for
//! the gate, and `4 n_heads top_k value_dim` bytes gathered.
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, memory::MemoryConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 32000, "d_model": 2048, "n_layers": 22, "n_heads": 16, "seq_len": 4096}"#).unwrap();
//! let memory_plus: MemoryConfig = serde_json::from_str(
//!     r#"{"keys": {"n_keys": 1024, "key_dim": 1024}, "gate": true, "shared_values": true}"#).unwrap();
//! // One layer of the 1.3B Memory+: 42.5 MFLOP per token; the dense feed-forward has 69.2.
//! let cost = memory_plus.cost(&decoder);
//! assert_eq!(cost.forward() / 100_000, 424);
//! assert_eq!(cost.bytes_gathered, 128 * 2048 * 4);
//! ```

use crate::linear::Linear;
use burn::module::Module;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig, MAX_WIDTH};
use crate::context::Context;
use crate::cost::Cost;
use crate::init::Init;
pub use crate::product_keys::KNOBS;
use crate::product_keys::{ProductKeys, ProductKeysConfig};
use crate::table_spec::TableSpec;
use crate::value_table::ValueTable;

/// Options of a memory layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MemoryConfig {
    /// The product keys.
    pub keys: ProductKeysConfig,
    /// Width of a value; `d_model` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_dim: Option<usize>,
    /// Gates the output by `silu` of the input (Memory+).
    #[serde(default)]
    pub gate: bool,
    /// All memory layers of the model share one table (Memory+).
    #[serde(default)]
    pub shared_values: bool,
}

impl MemoryConfig {
    fn value_dim(&self, decoder: &DecoderConfig) -> usize {
        self.value_dim.unwrap_or(decoder.d_model)
    }

    fn values(&self, decoder: &DecoderConfig) -> TableSpec {
        let (slots, value_dim) = (self.keys.slots(), self.value_dim(decoder));
        if !self.shared_values {
            return TableSpec::new("values", slots, value_dim);
        }
        // The name contains the shape: memories of different sizes have different tables.
        TableSpec::new(format!("values.{slots}x{value_dim}"), slots, value_dim).shared()
    }
}

impl Architecture for MemoryConfig {
    type Block = Memory;

    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        ConfigError::within("value_dim", self.value_dim(decoder), MAX_WIDTH)?;
        self.keys.check(decoder)
    }

    fn tables(&self, decoder: &DecoderConfig) -> Vec<TableSpec> {
        vec![self.values(decoder)]
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let (d_model, value_dim) = (decoder.d_model, self.value_dim(decoder));
        let mut cost = self.keys.cost(decoder) + Cost::gather(self.keys.reads(), value_dim);
        if self.gate {
            cost += Cost::matrix(d_model, value_dim) + Cost::vector(value_dim);
        }
        if self.gate || value_dim != d_model {
            cost += Cost::matrix(value_dim, d_model) + Cost::vector(d_model);
        }
        cost
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        let (reads, value_dim) = (self.keys.reads(), self.value_dim(decoder));
        let outputs = match (self.gate, value_dim == decoder.d_model) {
            // Values, gate, its logistic, silu, and the product.
            (true, _) => 5 * value_dim,
            (false, true) => 0,
            (false, false) => value_dim,
        };
        let keys = self.keys.activations(decoder);
        (keys + Activations::stored(outputs)).with_entries(reads, reads, value_dim)
    }

    fn build(&self, builder: &mut Builder) -> Memory {
        let d_model = builder.decoder.d_model;
        let value_dim = self.value_dim(builder.decoder);
        let std = (value_dim as f64).powf(-0.5);
        let values = builder.table(&self.values(builder.decoder), std);
        let projection = Init::TruncatedNormal((d_model as f64).powf(-0.5));
        let output = self.gate || value_dim != d_model;
        Memory {
            keys: self.keys.build(builder),
            values,
            gate: self
                .gate
                .then(|| builder.biased_linear("gate", d_model, value_dim, projection)),
            output: output.then(|| builder.biased_linear("output", value_dim, d_model, projection)),
        }
    }
}

/// A memory layer.
#[derive(Module, Debug)]
pub struct Memory {
    keys: ProductKeys,
    #[module(skip)]
    values: ValueTable,
    gate: Option<Linear>,
    output: Option<Linear>,
}

impl Block for Memory {
    fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3> {
        let shape = x.dims();
        let [batch, seq, d_model] = shape;
        let x = x.reshape([batch * seq, d_model]);
        let (slots, weights) = self.keys.forward(x.clone());
        if context.pass.observes() {
            self.keys.observe("slot", &slots, &weights, context.pass);
        }
        let mut y = self.values.bag(slots, weights, context.pass);
        if let Some(gate) = &self.gate {
            y = y * activation::silu(gate.forward(x));
        }
        if let Some(output) = &self.output {
            y = output.forward(y);
        }
        y.reshape(shape)
    }

    fn tables(&self) -> Vec<&ValueTable> {
        vec![&self.values]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::context::Tokens;
    use crate::pass::Pass;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn zeroed_values_give_zero_output() {
        let device = Device::flex();
        let decoder: DecoderConfig = serde_json::from_str(
            r#"{"vocab_size": 9, "d_model": 16, "n_layers": 1, "n_heads": 2, "seq_len": 8}"#,
        )
        .unwrap();
        let config: MemoryConfig =
            serde_json::from_str(r#"{"keys": {"n_keys": 6, "n_heads": 2, "top_k": 4}}"#).unwrap();
        let memory = config.build(&mut Builder::new(&decoder, 0, &device));
        let x = Tensor::random([2, 5, 16], Distribution::Default, &device);
        let tokens = Tokens::whole(Tensor::zeros([2, 5], &device));
        let size = |memory: &Memory| {
            let y = memory.forward(
                x.clone(),
                &mut Context::new(&tokens, &mut Pass::evaluation()),
            );
            y.abs().max().into_scalar::<f32>()
        };
        assert!(size(&memory) > 0.0);
        memory
            .values
            .set_values(memory.values.values().zeros_like());
        assert_eq!(size(&memory), 0.0);
    }
}
