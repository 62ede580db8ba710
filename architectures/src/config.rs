//! The decoder's dimensions and their validation.
//!
//! The decoder has the shape of Llama (Touvron et al. 2023), as the base models of "Memory Layers at Scale" do: by default no biases
//! in attention or feed-forward, RMSNorm, rotary position embedding, and an untied head by default.

use serde::{Deserialize, Serialize};

use crate::numeric_format::NumericFormat;
use crate::rotary::{Rotary, RotaryScaling};

/// A configuration that cannot be built: which key, what is wrong with it, what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{key}` {problem}; {remedy}")]
pub struct ConfigError {
    /// The invalid configuration key, as written in a sweep file.
    pub key: &'static str,
    /// What is invalid about its value.
    pub problem: String,
    /// How to correct it.
    pub remedy: String,
}

impl ConfigError {
    /// `key` is invalid because of `problem`; `remedy` says what to change.
    pub fn new(key: &'static str, problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self {
            key,
            problem: problem.into(),
            remedy: remedy.into(),
        }
    }

    /// Fails unless `value` is at least one.
    pub fn positive(key: &'static str, value: usize) -> Result<(), Self> {
        if value == 0 {
            return Err(Self::new(key, "is 0", "set it to 1 or more"));
        }
        Ok(())
    }

    /// Fails unless `value` is from one to `most`. Every dimension has such a bound, so that products of a few dimensions
    /// are exact and a configuration of any numbers is checked in little time and memory.
    pub fn within(key: &'static str, value: usize, most: usize) -> Result<(), Self> {
        Self::positive(key, value)?;
        Self::at_most(key, value, most)
    }

    /// Fails unless `value` is at most `most`.
    pub fn at_most(key: &'static str, value: usize, most: usize) -> Result<(), Self> {
        if value > most {
            let problem = format!("= {value} exceeds {most}");
            return Err(Self::new(
                key,
                problem,
                "lower it: this is the largest value",
            ));
        }
        Ok(())
    }
}

/// Largest number of layers.
pub const MAX_LAYERS: usize = 1 << 10;
/// Largest number of token ids.
pub const MAX_VOCAB_SIZE: usize = 1 << 20;
/// Largest length of a sequence, in tokens.
pub const MAX_SEQ_LEN: usize = 1 << 20;
/// Largest width of the residual stream, of a key or of a table row.
pub const MAX_WIDTH: usize = 1 << 16;
/// Largest hidden width of a feed-forward.
pub const MAX_HIDDEN: usize = 1 << 20;
/// Largest number of experts or of half-keys of one side.
pub const MAX_CHOICES: usize = 1 << 16;
/// Largest number of heads of a block's keys or hashes.
pub const MAX_BLOCK_HEADS: usize = 1 << 10;

/// Dimensions of a decoder.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DecoderConfig {
    /// Number of token ids.
    pub vocab_size: usize,
    /// Width of the residual stream.
    pub d_model: usize,
    /// Number of layers; each is attention followed by one block.
    pub n_layers: usize,
    /// Query heads; `d_model / n_heads` is the head width and must be even for rotary position embedding.
    pub n_heads: usize,
    /// Key and value heads (grouped-query attention); `n_heads` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_kv_heads: Option<usize>,
    /// Hidden width of the dense feed-forward; 8/3 of `d_model` rounded up to `d_ff_multiple` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_ff: Option<usize>,
    /// The rounding of the default `d_ff`.
    #[serde(default = "default_d_ff_multiple")]
    pub d_ff_multiple: usize,
    /// Longest sequence, in tokens; also the context by which attention FLOPs are counted.
    pub seq_len: usize,
    /// Base of the rotary frequencies.
    #[serde(default = "default_rope_theta")]
    pub rope_theta: f64,
    /// Scaling of the rotary frequencies; none when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rope_scaling: Option<RotaryScaling>,
    /// Added to the mean square in RMSNorm.
    #[serde(default = "default_norm_eps")]
    pub norm_eps: f64,
    /// Uses the input embedding as the output head.
    #[serde(default)]
    pub tie_embeddings: bool,
    /// Adds biases to queries, keys and values, as Qwen2 does; the output projection has none.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub qkv_bias: bool,
    /// Format of matrix products and value tables.
    #[serde(default, skip_serializing_if = "NumericFormat::is_default")]
    pub numeric_format: NumericFormat,
}

fn default_d_ff_multiple() -> usize {
    256
}
fn default_rope_theta() -> f64 {
    10_000.0
}
fn default_norm_eps() -> f64 {
    1e-5
}

impl DecoderConfig {
    /// Key and value heads.
    pub fn kv_heads(&self) -> usize {
        self.n_kv_heads.unwrap_or(self.n_heads)
    }

    /// Width of one attention head.
    pub fn head_dim(&self) -> usize {
        self.d_model / self.n_heads
    }

    /// Rotary frequencies of attention.
    pub fn rotary(&self) -> Rotary {
        Rotary {
            theta: self.rope_theta,
            scaling: self.rope_scaling,
        }
    }

    /// Hidden width of the dense feed-forward.
    ///
    /// ```
    /// # use architectures::DecoderConfig;
    /// let config: DecoderConfig = serde_json::from_str(
    ///     r#"{"vocab_size": 32000, "d_model": 1024, "n_layers": 24, "n_heads": 16, "seq_len": 4096}"#,
    /// ).unwrap();
    /// assert_eq!(config.hidden(), 2816);
    /// ```
    pub fn hidden(&self) -> usize {
        self.d_ff
            .unwrap_or_else(|| (2 * 4 * self.d_model / 3).next_multiple_of(self.d_ff_multiple))
    }

    /// Checks the shape.
    ///
    /// # Errors
    /// If a dimension is zero, does not divide another as required, or is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        for (key, value, most) in [
            ("vocab_size", self.vocab_size, MAX_VOCAB_SIZE),
            ("d_model", self.d_model, MAX_WIDTH),
            ("n_layers", self.n_layers, MAX_LAYERS),
            ("n_heads", self.n_heads, MAX_WIDTH),
            ("n_kv_heads", self.kv_heads(), MAX_WIDTH),
            ("d_ff_multiple", self.d_ff_multiple, MAX_HIDDEN),
            ("seq_len", self.seq_len, MAX_SEQ_LEN),
        ] {
            ConfigError::within(key, value, most)?;
        }
        // Only now: the default is computed from the others.
        ConfigError::within("d_ff", self.hidden(), MAX_HIDDEN)?;
        let (d, heads, kv) = (self.d_model, self.n_heads, self.kv_heads());
        if !d.is_multiple_of(heads) {
            return Err(ConfigError::new(
                "n_heads",
                format!("= {heads} does not divide d_model = {d}"),
                "choose a divisor of d_model",
            ));
        }
        if !self.head_dim().is_multiple_of(2) {
            return Err(ConfigError::new(
                "n_heads",
                format!("= {heads} gives heads of odd width {}", self.head_dim()),
                "rotary position embedding requires an even d_model / n_heads",
            ));
        }
        if !heads.is_multiple_of(kv) {
            return Err(ConfigError::new(
                "n_kv_heads",
                format!("= {kv} does not divide n_heads = {heads}"),
                "choose a divisor of n_heads",
            ));
        }
        if !(self.rope_theta > 1.0 && self.rope_theta.is_finite()) {
            return Err(ConfigError::new(
                "rope_theta",
                format!("= {} is not above 1", self.rope_theta),
                "10000 is the usual base",
            ));
        }
        if let Some(scaling) = &self.rope_scaling {
            scaling.check()?;
        }
        if !(self.norm_eps > 0.0 && self.norm_eps < 1.0) {
            return Err(ConfigError::new(
                "norm_eps",
                format!("= {} is not between 0 and 1", self.norm_eps),
                "1e-5 is the usual value",
            ));
        }
        Ok(())
    }
}
