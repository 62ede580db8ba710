//! Options of UltraMemV2 and their validation.

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, DecoderConfig, MAX_CHOICES, MAX_WIDTH};
use crate::knob::Knob;

/// What a solver may vary.
pub const KNOBS: &[Knob] = &[
    Knob::count(&["n_keys"], 1 << 16),
    Knob::count(&["top_k"], 1024),
    Knob::count(&["key_dim"], 1 << 14),
    Knob::count(&["value_dim"], 1 << 14),
    Knob::count(&["pre_value_dim"], 1 << 14),
];

/// Largest rank of the decomposition, and largest number of cores.
const MAX_RANK: usize = 64;

/// Options of UltraMemV2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UltraMemConfig {
    /// Half-keys of each side; there are `n_keys^2` slots.
    pub n_keys: usize,
    /// Slots of each token.
    #[serde(default = "default_top_k")]
    pub top_k: usize,
    /// Candidates of each side; `top_k` when absent, at most `n_keys`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub n_candidates: Option<usize>,
    /// Rank of the decomposition.
    #[serde(default = "two")]
    pub rank: usize,
    /// Cores, each with a part of every value.
    #[serde(default = "two")]
    pub n_cores: usize,
    /// Width of a half-key; `d_model / 2` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_dim: Option<usize>,
    /// Width of a value, a multiple of `n_cores`; `d_model / 4` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value_dim: Option<usize>,
    /// Width of a pre-value; `d_model / 4` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pre_value_dim: Option<usize>,
}

fn default_top_k() -> usize {
    32
}
fn two() -> usize {
    2
}

/// Sizes of a layer.
#[derive(Clone, Copy, Debug)]
pub struct Sizes {
    pub n_keys: usize,
    pub top_k: usize,
    pub candidates: usize,
    pub rank: usize,
    pub cores: usize,
    pub key_dim: usize,
    pub value_dim: usize,
    pub pre_value_dim: usize,
}

impl UltraMemConfig {
    /// The sizes of a layer in a decoder.
    pub(super) fn sizes(&self, decoder: &DecoderConfig) -> Sizes {
        let quarter = decoder.d_model / 4;
        Sizes {
            n_keys: self.n_keys,
            top_k: self.top_k,
            candidates: self.n_candidates.unwrap_or(self.top_k.min(self.n_keys)),
            rank: self.rank,
            cores: self.n_cores,
            key_dim: self.key_dim.unwrap_or(decoder.d_model / 2),
            value_dim: self.value_dim.unwrap_or(quarter),
            pre_value_dim: self.pre_value_dim.unwrap_or(quarter),
        }
    }
}

impl Sizes {
    /// Validates the sizes.
    pub fn check(&self) -> Result<(), ConfigError> {
        let sizes = self;
        for (key, value, most) in [
            ("n_keys", sizes.n_keys, MAX_CHOICES),
            ("top_k", sizes.top_k, MAX_CHOICES),
            ("n_candidates", sizes.candidates, MAX_CHOICES),
            ("rank", sizes.rank, MAX_RANK),
            ("n_cores", sizes.cores, MAX_RANK),
            ("key_dim", sizes.key_dim, MAX_WIDTH),
            ("value_dim", sizes.value_dim, MAX_WIDTH),
            ("pre_value_dim", sizes.pre_value_dim, MAX_WIDTH),
        ] {
            ConfigError::within(key, value, most)?;
        }
        let candidates = sizes.candidates;
        if candidates > sizes.n_keys {
            let problem = format!("= {candidates} exceeds n_keys = {}", sizes.n_keys);
            return Err(ConfigError::new(
                "n_candidates",
                problem,
                "lower it or raise n_keys",
            ));
        }
        if sizes.top_k > candidates * candidates {
            let problem = format!(
                "= {} exceeds {candidates} x {candidates} candidates",
                sizes.top_k
            );
            return Err(ConfigError::new(
                "top_k",
                problem,
                "lower it or raise n_candidates",
            ));
        }
        if !sizes.value_dim.is_multiple_of(sizes.cores) {
            let problem = format!(
                "= {} is not a multiple of n_cores = {}",
                sizes.value_dim, sizes.cores
            );
            return Err(ConfigError::new(
                "value_dim",
                problem,
                "every core has an equal part of a value",
            ));
        }
        Ok(())
    }
}
