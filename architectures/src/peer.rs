//! Parameter-efficient expert retrieval: experts of one neuron each, found by product keys (He 2024).
//!
//! ```text
//! slots, w = product_keys(x)                             [tokens, n_heads * top_k]
//! o        = sum_m w_m gelu(<x, U[slots_m]>) V[slots_m]  U, V [n_keys^2, d_model]
//! ```
//!
//! The defaults are those of the baseline in "Memory Layers at Scale": half-keys and softmax per head, no query
//! normalisation. He (2024) corresponds to `keys = { share_keys = true, qk_norm = true, .. }`; its BatchNorm of queries
//! mixes the positions of a batch, and is replaced by a per-token normalisation here. Cost per token in addition to the
//! product keys: `4 n_heads top_k d_model` for both lookups, `8 n_heads top_k d_model` bytes gathered.
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, peer::PeerConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 32000, "d_model": 768, "n_layers": 12, "n_heads": 12, "seq_len": 4096}"#).unwrap();
//! let peer: PeerConfig = serde_json::from_str(r#"{"keys": {"n_keys": 768, "key_dim": 256}}"#).unwrap();
//! let cost = peer.cost(&decoder);
//! let rows_and_widths = peer.tables(&decoder).iter().map(|table| table.rows * table.width).sum::<usize>();
//! assert_eq!(rows_and_widths, 905_969_664);
//! assert_eq!(cost.bytes_gathered, 2 * 128 * 768 * 4);
//! ```

use burn::module::Module;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig};
use crate::context::Context;
use crate::cost::Cost;
pub use crate::product_keys::KNOBS;
use crate::product_keys::{ProductKeys, ProductKeysConfig};
use crate::table_spec::TableSpec;
use crate::value_table::ValueTable;

/// Options of a PEER layer.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeerConfig {
    /// The product keys of the experts.
    pub keys: ProductKeysConfig,
}

impl Architecture for PeerConfig {
    type Block = Peer;

    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        self.keys.check(decoder)
    }

    fn tables(&self, decoder: &DecoderConfig) -> Vec<TableSpec> {
        let table = |name| TableSpec::new(name, self.keys.slots(), decoder.d_model);
        vec![table("down"), table("up")]
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let gather = Cost::gather(self.keys.reads(), decoder.d_model);
        self.keys.cost(decoder) + gather.times(2)
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        // Outputs of both lookups, of the activation, and its product with the weights.
        let (reads, d_model) = (self.keys.reads(), decoder.d_model);
        let lookups = Activations::stored(3 * reads);
        (self.keys.activations(decoder) + lookups).with_entries(reads, 2 * reads, 2 * d_model)
    }

    fn build(&self, builder: &mut Builder) -> Peer {
        let std = (builder.decoder.d_model as f64).powf(-0.5);
        let [down, up] = &self.tables(builder.decoder)[..] else {
            unreachable!("two tables")
        };
        Peer {
            keys: self.keys.build(builder),
            down: builder.table(down, std),
            up: builder.table(up, std),
        }
    }
}

/// A PEER layer.
#[derive(Module, Debug)]
pub struct Peer {
    keys: ProductKeys,
    #[module(skip)]
    down: ValueTable,
    #[module(skip)]
    up: ValueTable,
}

impl Block for Peer {
    fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3> {
        let shape = x.dims();
        let [batch, seq, d_model] = shape;
        let x = x.reshape([batch * seq, d_model]);
        let (slots, weights) = self.keys.forward(x.clone());
        if context.pass.observes() {
            self.keys.observe("neuron", &slots, &weights, context.pass);
        }
        let activated = activation::gelu(self.down.dot(slots.clone(), x, context.pass));
        self.up
            .bag(slots, activated * weights, context.pass)
            .reshape(shape)
    }

    fn tables(&self) -> Vec<&ValueTable> {
        vec![&self.down, &self.up]
    }
}
