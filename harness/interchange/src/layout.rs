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
        let decoder = &model.decoder;
        if dense_hidden(decoder, &layers).is_some() {
            return Ok(match decoder.qkv_bias {
                true => Self::Qwen2,
                false => Self::Llama,
            });
        }
        Ok(match mixture(&layers) {
            Some(mixture) if is_mixtral(mixture) && !decoder.qkv_bias => Self::Mixtral,
            _ => Self::Isoflop,
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
            Self::Isoflop => "isoflop",
        }
    }
}

/// The hidden width of all layers, if every layer is dense, of the same width, and nothing else.
pub fn dense_hidden(decoder: &DecoderConfig, layers: &[LayerConfig]) -> Option<usize> {
    let hidden = layers.iter().map(|layer| match alone(layer)? {
        BlockConfig::Dense(dense) => Some(dense.d_ff.unwrap_or(decoder.hidden())),
        _ => None,
    });
    common(hidden)
}

/// The mixture of experts of every layer, if all have the same one and nothing else.
pub fn mixture(layers: &[LayerConfig]) -> Option<&MixtureOfExpertsConfig> {
    common(layers.iter().map(|layer| match alone(layer)? {
        BlockConfig::MixtureOfExperts(mixture) => Some(mixture),
        _ => None,
    }))
}

/// Mixtral divides the weights of a token's experts by their sum.
fn is_mixtral(mixture: &MixtureOfExpertsConfig) -> bool {
    mixture.routing == Routing::TokenChoice && mixture.normalise_weights
}

/// The layer's only block.
fn alone(layer: &LayerConfig) -> Option<&BlockConfig> {
    let is_alone = layer.before_attention.is_empty() && layer.beside.is_empty();
    is_alone.then_some(&layer.feed_forward)
}

/// The value that all have.
fn common<T: PartialEq>(mut values: impl Iterator<Item = Option<T>>) -> Option<T> {
    let first = values.next()??;
    values
        .all(|value| value.as_ref() == Some(&first))
        .then_some(first)
}
