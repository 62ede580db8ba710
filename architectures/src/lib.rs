//! Feed-forward blocks behind one trait, the decoder around them, their cost and their kernels.
//!
//! ```
//! use architectures::{BlockConfig, Decoder, ModelConfig, Pass};
//! use burn::tensor::{Device, Int, Tensor};
//!
//! let config: ModelConfig = serde_json::from_str(r#"{
//!     "decoder": {"vocab_size": 50, "d_model": 16, "n_layers": 3, "n_heads": 2, "seq_len": 8},
//!     "blocks": [{
//!         "block": {"kind": "memory", "keys": {"n_keys": 8, "top_k": 4}, "gate": true, "shared_values": true},
//!         "placement": {"centred": {"count": 3, "stride": 1}}
//!     }]
//! }"#).unwrap();
//! let decoder = Decoder::new(&config, 0, &Device::flex()).unwrap();
//! let tokens = Tensor::<2, Int>::from_data([[1, 2, 3]], &Device::flex());
//! assert_eq!(decoder.forward(tokens, &mut Pass::evaluation()).dims(), [1, 3, 50]);
//! // One table of 64 slots, shared by three layers.
//! assert_eq!(config.cost().unwrap().params_table, 64 * 16);
//! ```

#![recursion_limit = "256"]
// Burn has deprecated libtorch, which is the only backend that shares no code with our kernels and so tests them.
#![cfg_attr(feature = "tch", allow(deprecated))]

mod activations;
mod adamw;
mod agreement;
pub mod attention;
mod block;
mod buffer;
mod config;
mod context;
mod cost;
mod decoder;
pub mod deepseek_moe;
pub mod dense;
mod device;
pub mod engram;
mod experts;
pub mod hashed_bigram;
pub mod host_copy;
mod init;
pub mod kernels;
mod knob;
mod layer;
mod linear;
pub mod loss;
pub mod memory;
pub mod mixture_of_experts;
pub mod mlp;
mod model;
mod norm;
mod numeric_format;
mod parameters;
mod part;
mod pass;
pub mod peer;
mod placement;
#[cfg(feature = "portable-math")]
mod portable_math;
mod product_keys;
mod products;
mod registry;
mod rotary;
pub mod routing;
mod table_spec;
mod token_ids;
pub mod ultra_mem;
mod usage;
mod value_table;

pub use activations::Activations;
pub use adamw::AdamW;
pub use block::{Architecture, Block, Builder};
pub use buffer::{Buffer, HasBuffers, Statistics};
pub use config::{ConfigError, DecoderConfig, MAX_SEQ_LEN, MAX_VOCAB_SIZE};
pub use context::{Context, DecodingState, Tokens};
pub use cost::{Cost, FLOP_CONVENTION, Flops, MAX_COUNT, TABLE_ELEMENT_BYTES};
pub use decoder::{Cache, Decoder, Segment, ServedLookups};
pub use device::DeviceName;
pub use init::Init;
pub use kernels::table_memory::TableValues;
pub use knob::{Knob, KnobStep};
pub use layer::{LayerConfig, Site};
pub use model::{MAX_BLOCKS, ModelConfig, PlacedBlock};
pub use numeric_format::NumericFormat;
pub use parameters::{EachParameter, for_each_parameter, replace_parameters};
pub use part::{BuiltPart, Part};
pub use pass::Pass;
pub use placement::Placement;
pub use product_keys::{ProductKeysConfig, ScoreActivation};
pub use registry::{AnyBlock, BlockByKind, BlockConfig};
pub use rotary::{Rotary, RotaryScaling};
pub use table_spec::TableSpec;
pub use token_ids::TokenIds;
pub use usage::Usage;
pub use value_table::{LazyAdam, TableGradient, TableMemory, TablePart, ValueTable};

#[cfg(all(feature = "simd", feature = "portable-math"))]
compile_error!(
    "the features simd and portable-math exclude each other: build with --no-default-features --features portable-math"
);

// Another checkout that shares the target folder compiles this crate again: see .cargo/config.toml.
const _: Option<&str> = option_env!("ISOFLOP_CHECKOUT");
