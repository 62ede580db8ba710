//! The layouts of an exported folder, and which of them a model fits.

use architectures::mixture_of_experts::{MixtureOfExpertsConfig, Routing};
use architectures::{BlockConfig, ConfigError, DecoderConfig, LayerConfig, ModelConfig};
use serde::{Deserialize, Serialize};

/// How tensors are named and arranged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layout {
    /// `LlamaForCausalLM` of transformers: dense layers.
    Llama,
    /// `Qwen2ForCausalLM`: dense layers, biases of queries, keys and values.
    Qwen2,
    /// `MixtralForCausalLM`: the same mixture of experts in every layer, weights of a token's experts normalised.
    Mixtral,
    /// `Qwen2MoeForCausalLM` without its shared expert: one mixture of experts in some layers, dense ones in others.
    Qwen2Moe,
    /// The layout of this project, for all blocks: docs/guide.md describes it.
    Isoflop,
}

impl Layout {
    /// The layout of `transformers` that has exactly the function of `model`, or [`Layout::Isoflop`].
    ///
    /// # Errors
    /// If the model is invalid.
    pub fn of(model: &ModelConfig) -> Result<Self, ConfigError> {
        let layers = model.layers()?;
        let bias = model.decoder.qkv_bias;
        let Some(found) = FeedForwards::of(&model.decoder, &layers) else {
            return Ok(Self::Isoflop);
        };
        Ok(match found.mixture {
            None if bias => Self::Qwen2,
            None => Self::Llama,
            Some(mixture) if found.dense.is_empty() && !bias && is_mixtral(mixture) => {
                Self::Mixtral
            }
            Some(_) => Self::Qwen2Moe,
        })
    }

    /// Whether `transformers` loads it.
    pub fn is_of_transformers(self) -> bool {
        self != Self::Isoflop
    }

    /// Its name in messages.
    pub fn name(self) -> &'static str {
        match self {
            Self::Llama => "Hugging Face Llama",
            Self::Qwen2 => "Hugging Face Qwen2",
            Self::Mixtral => "Hugging Face Mixtral",
            Self::Qwen2Moe => "Hugging Face Qwen2-MoE",
            Self::Isoflop => "isoflop",
        }
    }
}

/// Feed-forwards that layouts of transformers have: dense ones of one width, and one mixture of experts.
#[derive(Debug, PartialEq)]
pub struct FeedForwards<'a> {
    /// The dense layers.
    pub dense: Vec<usize>,
    /// Hidden width of the dense layers; the decoder's if there are none.
    pub hidden: usize,
    /// The mixture of all other layers.
    pub mixture: Option<&'a MixtureOfExpertsConfig>,
}

impl<'a> FeedForwards<'a> {
    /// Those of `layers`; `None` if a layer has another block or more than one, or if two of a kind differ.
    pub fn of(decoder: &DecoderConfig, layers: &'a [LayerConfig]) -> Option<Self> {
        let (mut dense, mut hidden, mut mixture) = (Vec::new(), None, None);
        for (number, layer) in layers.iter().enumerate() {
            let is_alone = layer.before_attention.is_empty() && layer.beside.is_empty();
            let is_equal = is_alone
                && match &layer.feed_forward {
                    BlockConfig::Dense(block) => {
                        dense.push(number);
                        let own = block.d_ff.unwrap_or(decoder.hidden());
                        *hidden.get_or_insert(own) == own
                    }
                    BlockConfig::MixtureOfExperts(own) => *mixture.get_or_insert(own) == own,
                    _ => false,
                };
            if !is_equal {
                return None;
            }
        }
        Some(Self {
            dense,
            hidden: hidden.unwrap_or(decoder.hidden()),
            mixture,
        })
    }
}

/// Mixtral divides the weights of a token's experts by their sum.
fn is_mixtral(mixture: &MixtureOfExpertsConfig) -> bool {
    mixture.routing == Routing::TokenChoice && mixture.normalise_weights
}
