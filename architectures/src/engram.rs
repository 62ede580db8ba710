//! Engram: a memory addressed by hashed suffix n-grams of the token ids (DeepSeek, 2601.07372, sections 2 and 3).
//!
//! ```text
//! mix_n(t) = xor over k < n of x_{t-k} mult_k             x the token ids, `pad_token` before the start; n = 2 .. max_order
//! e        = concat over orders and heads of table[offset_h + mix_n mod prime_h]              [tokens, memory_dim]
//! k, v     = e Wk + bk, e Wv + bv                                                             [tokens, d_model]
//! s        = <RMSNorm(h), RMSNorm(k)> / sqrt(d_model);  s = sign(s) sqrt(max(|s|, 1e-6)) with `sqrt_gate`
//! g        = sigmoid(s) v
//! c_t      = sum_j W_j * RMSNorm(g)_{t - (kernel-1-j) max_order}                              depthwise, causal
//! o        = silu(c) + g
//! ```
//!
//! `h` is the residual stream: the block is meant for the site `before_attention` after the first layer. Addresses depend on
//! the token ids alone. Every head has a prime number of rows of its own, at least `n_rows`; multipliers are drawn from the
//! name of the layer, not from the seed of the model, so that weights need not store them. Token ids are hashed as they
//! are, without a canonical form. `memory_dim = (max_order - 1) n_heads head_dim`. Cost per token:
//! `4 memory_dim d_model + 2 d_model + 2 kernel d_model` FLOPs, and `memory_dim` table elements gathered.
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, engram::EngramConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 129280, "d_model": 2560, "n_layers": 30, "n_heads": 32, "seq_len": 4096}"#).unwrap();
//! let engram: EngramConfig = serde_json::from_str(r#"{"n_rows": 2262400, "head_dim": 80}"#).unwrap();
//! // One of the two layers of Engram-27B, whose tables have 5.8B parameters.
//! let table = &engram.tables(&decoder)[0];
//! assert_eq!((table.rows / 10_000, table.width), (3619, 80));
//! assert_eq!(engram.cost(&decoder).bytes_gathered, 1280 * 4);
//! ```

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Int, Tensor, TensorData, activation};
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig, MAX_BLOCK_HEADS, MAX_WIDTH};
use crate::context::{Context, Tokens};
use crate::cost::Cost;
use crate::init::Init;
use crate::knob::Knob;
use crate::linear::Linear;
use crate::norm::RmsNorm;
use crate::table_spec::TableSpec;
use crate::value_table::ValueTable;

mod convolution;
mod hash;
mod primes;

use convolution::Convolution;
use hash::Hash;
use primes::primes_from;

/// What a solver may vary.
pub const KNOBS: &[Knob] = &[
    Knob::count(&["n_rows"], 1 << 28),
    Knob::count(&["n_heads"], 64),
    Knob::count(&["head_dim"], 1024),
];

/// Largest number of taps of the convolution.
const MAX_KERNEL: usize = 1024;

/// Options of Engram.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EngramConfig {
    /// Least number of rows of each head.
    pub n_rows: usize,
    /// Longest n-gram; orders from 2.
    #[serde(default = "default_max_order")]
    pub max_order: usize,
    /// Heads of each order.
    #[serde(default = "default_n_heads")]
    pub n_heads: usize,
    /// Width of a row; `d_model / 32`, at least 1, when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head_dim: Option<usize>,
    /// Taps of the convolution, `max_order` tokens apart; 0 for none.
    #[serde(default = "default_kernel")]
    pub kernel: usize,
    /// Signed square root of the gate's score, as in the published code.
    #[serde(default = "yes")]
    pub sqrt_gate: bool,
    /// Factor of the tables' learning rate.
    #[serde(default = "default_rate_factor")]
    pub learning_rate_factor: f64,
    /// Token id before the start of a sequence.
    #[serde(default)]
    pub pad_token: i64,
}

fn default_max_order() -> usize {
    3
}
fn default_n_heads() -> usize {
    8
}
fn default_kernel() -> usize {
    4
}
fn yes() -> bool {
    true
}
fn default_rate_factor() -> f64 {
    5.0
}

impl EngramConfig {
    fn head_dim(&self, decoder: &DecoderConfig) -> usize {
        self.head_dim.unwrap_or((decoder.d_model / 32).max(1))
    }

    /// Heads of all orders.
    fn heads(&self) -> usize {
        (self.max_order - 1) * self.n_heads
    }

    /// Number of rows of each head: the first distinct primes from `n_rows`.
    fn primes(&self) -> Vec<usize> {
        primes_from(self.n_rows, self.heads())
    }
}

impl Architecture for EngramConfig {
    type Block = Engram;

    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        ConfigError::positive("n_rows", self.n_rows)?;
        ConfigError::positive("n_heads", self.n_heads)?;
        ConfigError::within("head_dim", self.head_dim(decoder), MAX_WIDTH)?;
        ConfigError::at_most("kernel", self.kernel, MAX_KERNEL)?;
        if !(2..=16).contains(&self.max_order) {
            let problem = format!("= {} is not between 2 and 16", self.max_order);
            return Err(ConfigError::new(
                "max_order",
                problem,
                "3 is the published value",
            ));
        }
        if self.n_heads > MAX_BLOCK_HEADS {
            let problem = format!("= {} exceeds {MAX_BLOCK_HEADS}", self.n_heads);
            return Err(ConfigError::new(
                "n_heads",
                problem,
                "8 is the published value",
            ));
        }
        if self.n_rows > 1 << 31 {
            let problem = format!("= {} exceeds 2^31", self.n_rows);
            return Err(ConfigError::new(
                "n_rows",
                problem,
                "use more heads instead",
            ));
        }
        if !(self.learning_rate_factor > 0.0 && self.learning_rate_factor.is_finite()) {
            let problem = format!("= {} is not positive", self.learning_rate_factor);
            return Err(ConfigError::new(
                "learning_rate_factor",
                problem,
                "5 is the published factor",
            ));
        }
        Ok(())
    }

    fn tables(&self, decoder: &DecoderConfig) -> Vec<TableSpec> {
        let rows = self.primes().iter().sum();
        let table = TableSpec::new("ngrams", rows, self.head_dim(decoder));
        vec![table.with_learning_rate_factor(self.learning_rate_factor)]
    }

    fn constants(&self, path: &str) -> BTreeMap<String, Vec<i64>> {
        let multipliers = hash::multipliers(&format!("{path}.multipliers"), self.max_order);
        let primes = self.primes().into_iter().map(|prime| prime as i64);
        BTreeMap::from([
            ("multipliers".to_owned(), multipliers),
            ("primes".to_owned(), primes.collect()),
        ])
    }

    fn reads_residual_stream(&self) -> bool {
        true
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let (d_model, width) = (decoder.d_model, self.head_dim(decoder));
        let memory_dim = self.heads() * width;
        let mut cost = (Cost::matrix(memory_dim, d_model) + Cost::vector(d_model)).times(2);
        // The gains of both norms of the gate, and the product of the gate.
        cost += Cost::vector(d_model).times(2);
        cost.matmul += 2 * d_model as u64;
        if self.kernel > 0 {
            cost += Cost::vector(d_model) + Cost::vector(self.kernel * d_model);
            cost.matmul += 2 * (self.kernel * d_model) as u64;
        }
        cost + Cost::copy(self.heads(), width)
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        let (d_model, memory_dim) = (decoder.d_model, self.heads() * self.head_dim(decoder));
        // Key, value, both norms, their product and the gated value; norm, taps and silu of the convolution.
        let widths = match self.kernel {
            0 => 5,
            kernel => 5 + 5 + kernel,
        };
        Activations::stored(memory_dim + widths * d_model).with_entries(
            self.heads(),
            self.heads(),
            memory_dim,
        )
    }

    fn build(&self, builder: &mut Builder) -> Engram {
        let d_model = builder.decoder.d_model;
        let memory_dim = self.heads() * self.head_dim(builder.decoder);
        let init = Init::TruncatedNormal((memory_dim as f64).powf(-0.5));
        let tables = self.tables(builder.decoder);
        let convolution =
            (self.kernel > 0).then(|| Convolution::build(builder, self.kernel, self.max_order));
        Engram {
            table: builder.table(&tables[0], 0.02),
            hash: Hash::new(
                &builder.name("multipliers"),
                self.max_order,
                self.n_heads,
                self.primes(),
                self.pad_token,
            ),
            key: builder.biased_linear("key", memory_dim, d_model, init),
            value: builder.biased_linear("value", memory_dim, d_model, init),
            hidden_norm: RmsNorm::build(builder, "hidden_norm"),
            key_norm: RmsNorm::build(builder, "key_norm"),
            convolution,
            sqrt_gate: self.sqrt_gate,
        }
    }
}

/// An Engram layer.
#[derive(Module, Debug)]
pub struct Engram {
    #[module(skip)]
    table: ValueTable,
    #[module(skip)]
    hash: Hash,
    key: Linear,
    value: Linear,
    hidden_norm: RmsNorm,
    key_norm: RmsNorm,
    convolution: Option<Convolution>,
    #[module(skip)]
    sqrt_gate: bool,
}

impl Block for Engram {
    fn forward(&self, h: Tensor<3>, context: &mut Context) -> Tensor<3> {
        let [batch, seq, d_model] = h.dims();
        let heads = self.hash.primes.len();
        let reads = self.hash.reads(context.tokens, [batch, seq]);
        if context.pass.observes() {
            context
                .pass
                .observe_hashed("n-gram", self.table.rows(), &reads);
        }
        let ids: Vec<i64> = reads.iter().map(|(row, _)| *row).collect();
        let ids = TensorData::new(ids, [batch * seq * heads, 1]);
        let ids = Tensor::<2, Int>::from_data(ids, &h.device());
        // A bag of one row at weight one is that row.
        let ones = Tensor::ones([batch * seq * heads, 1], &h.device());
        let e = self.table.bag(ids, ones, context.pass);
        let e = e.reshape([batch, seq, heads * self.table.width()]);
        let (key, value) = (self.key.forward(e.clone()), self.value.forward(e));
        let score = self.hidden_norm.forward(h) * self.key_norm.forward(key);
        let mut score = score.sum_dim(2) / (d_model as f64).sqrt();
        if self.sqrt_gate {
            score = score.clone().sign() * score.abs().clamp_min(1e-6).sqrt();
        }
        let gated = activation::sigmoid(score) * value;
        match &self.convolution {
            Some(convolution) => {
                activation::silu(convolution.forward(gated.clone(), context)) + gated
            }
            None => gated,
        }
    }

    fn tables(&self) -> Vec<&ValueTable> {
        vec![&self.table]
    }

    fn prefetch(&self, tokens: &Tokens) {
        let [batch, whole] = tokens.with_history().dims();
        let reads = self.hash.reads(tokens, [batch, whole - tokens.past()]);
        let ids: Vec<i64> = reads.iter().map(|(row, _)| *row).collect();
        let ids = TensorData::new(ids, [reads.len(), 1]);
        let device = tokens.with_history().device();
        self.table.prefetch(Tensor::from_data(ids, &device));
    }
}

#[cfg(test)]
mod tests;
