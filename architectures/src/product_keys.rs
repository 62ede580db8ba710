//! Product keys: the selection of slots out of `n_keys^2` for each token, and their weights.
//!
//! ```text
//! q      = x Wq + bq                                  [tokens, n_heads, key_dim]
//! s1, s2 = q[..half] K1^T, q[half..] K2^T             [tokens, n_heads, n_keys] each, no scaling
//! slots  = top_k over pairs (i, j) of s1[i] + s2[j]   slot i n_keys + j
//! w      = activation(scores of the slots)            softmax per head, in f32
//! ```
//!
//! Weights of a token sum to `n_heads` under softmax: heads are summed, not averaged (Lample et al. 2019;
//! "Memory Layers at Scale", section 3). Cost per token: `2 d_model n_heads key_dim` for queries and
//! `2 n_heads n_keys key_dim` for scores; candidate sums are not counted.

use crate::linear::Linear;
use burn::module::{Module, Param};
use burn::tensor::{Int, Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::Builder;
use crate::config::{ConfigError, DecoderConfig, MAX_BLOCK_HEADS, MAX_CHOICES, MAX_WIDTH};
use crate::cost::Cost;
use crate::host_copy;
use crate::init::Init;
use crate::knob::Knob;
use crate::numeric_format::NumericFormat;
use crate::pass::Pass;

/// What a solver may vary of a block with `keys`.
pub const KNOBS: &[Knob] = &[
    Knob::count(&["keys", "n_keys"], 1 << 16),
    Knob::count(&["keys", "top_k"], 1024),
    Knob::count(&["keys", "n_heads"], 256),
];

/// From the selected slots' scores to their weights.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScoreActivation {
    /// Softmax over each head's `top_k` (the paper's).
    #[default]
    Softmax,
    /// Positive part: slots do not compete (Csordas et al. 2023).
    Relu,
    /// Logistic: slots do not compete, and every weight is positive.
    Sigmoid,
}

/// Sizes and options of product keys.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProductKeysConfig {
    /// Half-keys in each of the two sets; there are `n_keys^2` slots.
    pub n_keys: usize,
    /// Independent queries per token.
    #[serde(default = "default_n_heads")]
    pub n_heads: usize,
    /// Slots that each head reads.
    #[serde(default = "default_top_k")]
    pub top_k: usize,
    /// Width of a whole key, both halves together; `d_model / 2` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_dim: Option<usize>,
    /// Activation of the scores.
    #[serde(default)]
    pub score: ScoreActivation,
    /// Normalises queries and keys to unit mean square, with one learnt gain per head, and scales scores by
    /// `(key_dim / 2)^-0.5`: for large memories in small decoders, which otherwise diverge or collapse.
    #[serde(default)]
    pub qk_norm: bool,
    /// All heads search the same half-keys, as in the PEER paper; heads then tend to select the same slots.
    #[serde(default)]
    pub share_keys: bool,
}

fn default_n_heads() -> usize {
    4
}
fn default_top_k() -> usize {
    32
}

impl ProductKeysConfig {
    /// Number of slots.
    pub fn slots(&self) -> usize {
        self.n_keys * self.n_keys
    }

    /// Slots that one token reads.
    pub fn reads(&self) -> usize {
        self.n_heads * self.top_k
    }

    fn key_dim(&self, decoder: &DecoderConfig) -> usize {
        self.key_dim.unwrap_or(decoder.d_model / 2)
    }

    fn key_sets(&self) -> usize {
        if self.share_keys { 1 } else { self.n_heads }
    }

    /// Validates the configuration.
    ///
    /// # Errors
    /// If a size is zero or exceeds its bound, `top_k` exceeds `n_keys` or `key_dim` is odd.
    pub fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        ConfigError::within("n_keys", self.n_keys, MAX_CHOICES)?;
        ConfigError::within("n_heads", self.n_heads, MAX_BLOCK_HEADS)?;
        ConfigError::positive("top_k", self.top_k)?;
        if self.top_k > self.n_keys {
            return Err(ConfigError::new(
                "top_k",
                format!("= {} exceeds n_keys = {}", self.top_k, self.n_keys),
                "lower top_k or raise n_keys",
            ));
        }
        let key_dim = self.key_dim(decoder);
        ConfigError::at_most("key_dim", key_dim, MAX_WIDTH)?;
        if key_dim == 0 || !key_dim.is_multiple_of(2) {
            return Err(ConfigError::new(
                "key_dim",
                format!("= {key_dim} cannot be divided into two halves"),
                "choose an even width of 2 or more",
            ));
        }
        Ok(())
    }

    /// Cost of queries and scores.
    pub fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let (key_dim, heads) = (self.key_dim(decoder), self.n_heads);
        let query = Cost::matrix(decoder.d_model, heads * key_dim) + Cost::vector(heads * key_dim);
        let keys = self.key_sets() * self.n_keys * key_dim;
        let gain = if self.qk_norm {
            Cost::vector(heads)
        } else {
            Cost::default()
        };
        let mut scores = Cost::vector(keys);
        scores.matmul = 2 * (heads * self.n_keys * key_dim) as u64;
        query + scores + gain
    }

    /// Queries; the scores' exponentials, their sum, the weights and the ids. Two more of each query with `qk_norm`.
    pub fn activations(&self, decoder: &DecoderConfig) -> Activations {
        let queries = self.n_heads * self.key_dim(decoder);
        let copies = if self.qk_norm { 3 } else { 1 };
        Activations::stored(copies * queries + 4 * self.reads() + self.n_heads)
    }

    /// Queries are Xavier uniform, half-keys uniform within `key_dim^-0.5`, biases zero.
    pub fn build(&self, builder: &mut Builder) -> ProductKeys {
        let (d_model, key_dim) = (builder.decoder.d_model, self.key_dim(builder.decoder));
        let queries = self.n_heads * key_dim;
        let bound = Init::Uniform((key_dim as f64).powf(-0.5));
        ProductKeys {
            query: builder.biased_linear("query", d_model, queries, Init::xavier(d_model, queries)),
            keys: builder.parameter(
                "keys",
                [self.key_sets() * 2, self.n_keys, key_dim / 2],
                bound,
            ),
            gain: self
                .qk_norm
                .then(|| builder.parameter("gain", [self.n_heads], Init::Constant(1.0))),
            format: builder.decoder.numeric_format,
            config: self.clone(),
        }
    }
}

/// Two sets of half-keys per head, and the query projection.
#[derive(Module, Debug)]
pub struct ProductKeys {
    query: Linear,
    /// `[n_heads (or 1) * 2, n_keys, key_dim / 2]`, the first half of a head before the second.
    keys: Param<Tensor<3>>,
    gain: Option<Param<Tensor<1>>>,
    #[module(skip)]
    format: NumericFormat,
    #[module(skip)]
    config: ProductKeysConfig,
}

impl ProductKeys {
    /// The slots of each token and their weights, both `[tokens, n_heads * top_k]`, for `x [tokens, d_model]`.
    pub fn forward(&self, x: Tensor<2>) -> (Tensor<2, Int>, Tensor<2>) {
        let slots = self.config.reads();
        let [tokens, _] = x.dims();
        let (queries, keys) = self.queries_and_keys(x);
        let (scores, ids) = self
            .format
            .product_key_search(queries, keys, self.config.top_k);
        let weights = match self.config.score {
            ScoreActivation::Softmax => activation::softmax(scores, 2),
            ScoreActivation::Relu => activation::relu(scores),
            ScoreActivation::Sigmoid => activation::sigmoid(scores),
        };
        (
            ids.reshape([tokens, slots]),
            weights.reshape([tokens, slots]),
        )
    }

    /// Queries `[tokens, n_heads * 2, key_dim / 2]` and half-keys `[n_heads * 2, n_keys, key_dim / 2]`.
    fn queries_and_keys(&self, x: Tensor<2>) -> (Tensor<3>, Tensor<3>) {
        let heads = self.config.n_heads;
        let [tokens, _] = x.dims();
        let mut keys = self.keys.val();
        let [_, _, half] = keys.dims();
        let mut queries = self.query.forward(x).reshape([tokens, heads * 2, half]);
        if let Some(gain) = &self.gain {
            let gain = gain.val() / (half as f64).sqrt();
            let gain = gain
                .reshape([heads, 1])
                .repeat_dim(1, 2)
                .reshape([1, heads * 2, 1]);
            queries = unit_mean_square(queries) * gain;
            keys = unit_mean_square(keys);
        }
        if self.config.share_keys {
            keys = keys.repeat_dim(0, heads);
        }
        (queries, keys)
    }

    /// Records the total weight of each slot in the pass.
    pub(crate) fn observe(
        &self,
        unit: &'static str,
        ids: &Tensor<2, Int>,
        weights: &Tensor<2>,
        pass: &mut Pass,
    ) {
        let reads = ids.shape().num_elements();
        let ids = host_copy::integers(ids.clone());
        let weights = host_copy::floats(weights.clone());
        let mut slots = vec![0.0; self.config.slots()];
        for (id, weight) in ids.into_iter().zip(weights) {
            slots[id as usize] += f64::from(weight);
        }
        pass.observe(unit, slots, reads);
    }
}

fn unit_mean_square(x: Tensor<3>) -> Tensor<3> {
    let mean_square = x.clone().square().mean_dim(2);
    x / (mean_square + 1e-6).sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn weights_of_a_token_sum_to_the_number_of_heads() {
        let device = Device::flex();
        let decoder: DecoderConfig = serde_json::from_str(
            r#"{"vocab_size": 9, "d_model": 16, "n_layers": 1, "n_heads": 2, "seq_len": 8}"#,
        )
        .unwrap();
        let config: ProductKeysConfig =
            serde_json::from_str(r#"{"n_keys": 6, "n_heads": 3, "top_k": 4}"#).unwrap();
        let keys = config.build(&mut Builder::new(&decoder, 0, &device));
        let (slots, weights) =
            keys.forward(Tensor::random([7, 16], Distribution::Default, &device));
        assert_eq!(slots.dims(), [7, 12]);
        for sum in weights.sum_dim(1).into_data().iter::<f32>() {
            assert!((sum - 3.0).abs() < 1e-5, "{sum}");
        }
    }
}
