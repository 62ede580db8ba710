//! The registry of blocks. A new block is a file beside this one and a line below.

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig};
use crate::cost::Cost;
use crate::pass::Pass;
use crate::value_table::ValueTable;
use crate::{dense, memory, mixture_of_experts, peer};

macro_rules! registry {
    ($($(#[$doc:meta])* $variant:ident($module:ident :: $config:ident)),* $(,)?) => {
        /// A block's configuration; in a sweep file, `kind` names the variant in snake_case.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind", rename_all = "snake_case")]
        pub enum BlockConfig {
            $($(#[$doc])* $variant($module::$config),)*
        }

        /// [`BlockConfig`] as a map of one key, its `kind`. Unlike those of an internally tagged enum its fields are not
        /// buffered, so that a deserializer can report the path of an error.
        #[derive(Debug, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum BlockByKind {
            $($(#[$doc])* $variant($module::$config),)*
        }

        impl From<BlockByKind> for BlockConfig {
            fn from(block: BlockByKind) -> Self {
                match block { $(BlockByKind::$variant(config) => Self::$variant(config),)* }
            }
        }

        /// A block of any kind.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant, reason = "a decoder has few blocks")]
        pub enum AnyBlock {
            $($(#[$doc])* $variant($module::$variant),)*
        }

        impl Architecture for BlockConfig {
            type Block = AnyBlock;

            fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
                match self { $(Self::$variant(config) => config.check(decoder),)* }
            }

            fn shares(&self, decoder: &DecoderConfig) -> Option<String> {
                match self { $(Self::$variant(config) => config.shares(decoder),)* }
            }

            fn table_width(&self, decoder: &DecoderConfig) -> Option<usize> {
                match self { $(Self::$variant(config) => config.table_width(decoder),)* }
            }

            fn cost(&self, decoder: &DecoderConfig, shared: bool) -> Cost {
                match self { $(Self::$variant(config) => config.cost(decoder, shared),)* }
            }

            fn build(&self, builder: &mut Builder) -> AnyBlock {
                match self { $(Self::$variant(config) => AnyBlock::$variant(config.build(builder)),)* }
            }
        }

        impl Block for AnyBlock {
            fn forward(&self, x: Tensor<3>, pass: &mut Pass) -> Tensor<3> {
                match self { $(Self::$variant(block) => block.forward(x, pass),)* }
            }

            fn tables(&self) -> Vec<&ValueTable> {
                match self { $(Self::$variant(block) => block.tables(),)* }
            }
        }
    };
}

registry! {
    /// SwiGLU feed-forward.
    Dense(dense::DenseConfig),
    /// Routed SwiGLU feed-forwards.
    MixtureOfExperts(mixture_of_experts::MixtureOfExpertsConfig),
    /// Retrieved single-neuron experts.
    Peer(peer::PeerConfig),
    /// Product-key memory; Memory+ with its options.
    Memory(memory::MemoryConfig),
}

impl Default for BlockConfig {
    fn default() -> Self {
        Self::Dense(dense::DenseConfig::default())
    }
}
