//! The registry of blocks. A new block is a file beside this one and a line below.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::buffer::{Buffer, HasBuffers, Statistics};
use crate::config::{ConfigError, DecoderConfig};
use crate::context::{Context, Tokens};
use crate::cost::Cost;
use crate::knob::Knob;
use crate::table_spec::TableSpec;
use crate::value_table::ValueTable;
use crate::{
    deepseek_moe, dense, engram, hashed_bigram, memory, mixture_of_experts, mlp, peer, ultra_mem,
};

macro_rules! registry {
    ($($(#[$doc:meta])* $kind:literal => $variant:ident($module:ident :: $config:ident)),* $(,)?) => {
        /// A block's configuration, tagged by `kind`.
        #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "kind")]
        pub enum BlockConfig {
            $($(#[$doc])* #[serde(rename = $kind)] $variant($module::$config),)*
        }

        impl BlockConfig {
            /// Every `kind` there is.
            pub const KINDS: &[&str] = &[$($kind),*];

            /// Its `kind`.
            pub fn kind(&self) -> &'static str {
                match self { $(Self::$variant(_) => $kind,)* }
            }

            /// The integers that a solver may vary in blocks of a kind; none for an unknown kind.
            pub fn knobs(kind: &str) -> &'static [Knob] {
                match kind { $($kind => $module::KNOBS,)* _ => &[] }
            }
        }

        impl BlockConfig {
            /// Sets the integer at `path`, keys of the configuration; returns false, without a change, if the
            /// configuration has no such integer.
            pub fn set(&mut self, path: &[&str], value: usize) -> bool {
                let Ok(mut json) = serde_json::to_value(&*self) else {
                    return false;
                };
                let Some((last, sections)) = path.split_last() else {
                    return false;
                };
                let section = sections.iter().try_fold(&mut json, |at, key| at.get_mut(key));
                let Some(section) = section.and_then(serde_json::Value::as_object_mut) else {
                    return false;
                };
                section.insert((*last).to_owned(), value.into());
                match serde_json::from_value(json) {
                    Ok(block) => {
                        *self = block;
                        true
                    }
                    Err(_) => false,
                }
            }
        }

        /// [`BlockConfig`] as a map of one key, its `kind`. Unlike those of an internally tagged enum its fields are not
        /// buffered, so that a deserializer can report the path of an error.
        #[derive(Debug, Deserialize)]
        pub enum BlockByKind {
            $($(#[$doc])* #[serde(rename = $kind)] $variant($module::$config),)*
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

            fn tables(&self, decoder: &DecoderConfig) -> Vec<TableSpec> {
                match self { $(Self::$variant(config) => config.tables(decoder),)* }
            }

            fn constants(&self, path: &str) -> BTreeMap<String, Vec<i64>> {
                match self { $(Self::$variant(config) => config.constants(path),)* }
            }

            fn reads_residual_stream(&self) -> bool {
                match self { $(Self::$variant(config) => config.reads_residual_stream(),)* }
            }

            fn cost(&self, decoder: &DecoderConfig) -> Cost {
                match self { $(Self::$variant(config) => config.cost(decoder),)* }
            }

            fn activations(&self, decoder: &DecoderConfig) -> Activations {
                match self { $(Self::$variant(config) => config.activations(decoder),)* }
            }

            fn build(&self, builder: &mut Builder) -> AnyBlock {
                match self { $(Self::$variant(config) => AnyBlock::$variant(config.build(builder)),)* }
            }
        }

        impl Block for AnyBlock {
            fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3> {
                match self { $(Self::$variant(block) => block.forward(x, context),)* }
            }

            fn tables(&self) -> Vec<&ValueTable> {
                match self { $(Self::$variant(block) => block.tables(),)* }
            }

            fn prefetch(&self, tokens: &Tokens) {
                match self { $(Self::$variant(block) => block.prefetch(tokens),)* }
            }

            fn buffers(&self) -> Vec<&Buffer> {
                match self { $(Self::$variant(block) => block.buffers(),)* }
            }

            fn read_by_update(&self) -> Option<Tensor<1>> {
                match self { $(Self::$variant(block) => block.read_by_update(),)* }
            }

            fn update_buffers(&self, statistics: &Statistics, read: &[f32]) {
                match self { $(Self::$variant(block) => block.update_buffers(statistics, read),)* }
            }
        }

        impl HasBuffers for AnyBlock {
            fn buffers(&self) -> Vec<&Buffer> {
                Block::buffers(self)
            }

            fn update_buffers(&self, statistics: &Statistics) {
                $crate::block::update_buffers(std::iter::once(self), statistics);
            }
        }
    };
}

registry! {
    /// SwiGLU feed-forward.
    "dense" => Dense(dense::DenseConfig),
    /// Two matrices with GELU.
    "mlp" => Mlp(mlp::MlpConfig),
    /// Fine-grained and shared experts, balanced by a selection bias.
    "deepseek_moe" => DeepseekMoe(deepseek_moe::DeepseekMoeConfig),
    /// Routed SwiGLU feed-forwards.
    "mixture_of_experts" => MixtureOfExperts(mixture_of_experts::MixtureOfExpertsConfig),
    /// Retrieved single-neuron experts.
    "peer" => Peer(peer::PeerConfig),
    /// Product-key memory; Memory+ with its options.
    "memory" => Memory(memory::MemoryConfig),
    /// UltraMemV2: Tucker-decomposed scores, pre-values and values.
    "ultra_mem" => UltraMem(ultra_mem::UltraMemConfig),
    /// Memory of hashed suffix n-grams.
    "engram" => Engram(engram::EngramConfig),
    /// One table of hashed bigrams with a scalar gate per layer.
    "hashed_bigram" => HashedBigram(hashed_bigram::HashedBigramConfig),
}

impl Default for BlockConfig {
    fn default() -> Self {
        Self::Dense(dense::DenseConfig::default())
    }
}
