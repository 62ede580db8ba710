//! DeepSeekMoE: fine-grained routed experts, shared experts and balancing by a selection bias (2401.06066; DeepSeek-V3,
//! equations 12 to 16; Wang et al., 2408.15664, algorithm 1).
//!
//! ```text
//! s   = sigmoid(x Wg)                                     [tokens, n_experts], affinities
//! T   = the top_k experts by s + b                        b [n_experts] selects only; no gradient trains it
//! w_i = route_scale s_i / sum of s over T                 (route_scale s_i without normalise_weights)
//! o   = FFN_shared(x) + sum over T of w_i FFN_i(x)        FFN as in `dense`; the shared one has width n_shared d_ff
//! after each optimizer step: b_i += bias_rate sign(mean(c) - c_i)   c_i the tokens of expert i in the whole batch
//! ```
//!
//! No token is dropped. `balance_loss` adds the sequence-wise loss of DeepSeek-V3 (equations 17 to 20), whose gradient
//! reaches the affinities only; it is 0 by default. `d_ff` is by default that share of the dense hidden width at which the
//! `top_k + n_shared` experts of a token have its FLOPs. Cost per token: `2 d_model n_experts` for the router and
//! `6 (top_k + n_shared) d_model d_ff` for the experts.
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, deepseek_moe::DeepseekMoeConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 102400, "d_model": 2048, "n_layers": 28, "n_heads": 16, "seq_len": 4096}"#).unwrap();
//! // One layer of DeepSeekMoE 16B.
//! let moe: DeepseekMoeConfig =
//!     serde_json::from_str(r#"{"n_experts": 64, "n_shared": 2, "top_k": 6, "d_ff": 1408}"#).unwrap();
//! let cost = moe.cost(&decoder);
//! assert_eq!(cost.params_dense, (64 + 2) * 3 * 2048 * 1408 + 2048 * 64);
//! assert_eq!(cost.forward(), 2 * 2048 * 64 + (6 + 2) * 6 * 2048 * 1408);
//! ```

use burn::module::Module;
use burn::tensor::{Int, Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::buffer::{Buffer, Statistics};
use crate::config::{ConfigError, DecoderConfig, MAX_CHOICES, MAX_HIDDEN};
use crate::context::Context;
use crate::cost::Cost;
use crate::dense::Dense;
use crate::experts::Experts;
use crate::knob::Knob;
use crate::linear::Linear;
use crate::pass::Pass;
use crate::routing::{self, Assignments};

/// What a solver may vary.
pub const KNOBS: &[Knob] = &[
    Knob::count(&["n_experts"], 4096),
    Knob::count(&["n_shared"], 64),
    Knob::count(&["top_k"], 1024),
    Knob::D_FF,
];

/// Options of DeepSeekMoE.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeepseekMoeConfig {
    /// Routed experts.
    pub n_experts: usize,
    /// Routed experts of each token.
    pub top_k: usize,
    /// Experts that every token uses.
    #[serde(default = "one")]
    pub n_shared: usize,
    /// Hidden width of one expert; the decoder's divided by `top_k + n_shared` when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_ff: Option<usize>,
    /// Normalises the weights of a token's routed experts to sum to `route_scale`.
    #[serde(default = "yes")]
    pub normalise_weights: bool,
    /// Factor of the routed experts' weights.
    #[serde(default = "unit")]
    pub route_scale: f64,
    /// Change of the selection bias per step; 0 keeps it at zero.
    #[serde(default = "default_bias_rate")]
    pub bias_rate: f64,
    /// Weight of the sequence-wise balance loss.
    #[serde(default)]
    pub balance_loss: f64,
}

fn one() -> usize {
    1
}
fn yes() -> bool {
    true
}
fn unit() -> f64 {
    1.0
}
fn default_bias_rate() -> f64 {
    1e-3
}

impl DeepseekMoeConfig {
    fn hidden(&self, decoder: &DecoderConfig) -> usize {
        let experts = self.top_k + self.n_shared;
        self.d_ff.unwrap_or(decoder.hidden() / experts.max(1))
    }
}

impl Architecture for DeepseekMoeConfig {
    type Block = DeepseekMoe;

    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        ConfigError::within("n_experts", self.n_experts, MAX_CHOICES)?;
        ConfigError::within("top_k", self.top_k, MAX_CHOICES)?;
        ConfigError::at_most("n_shared", self.n_shared, MAX_CHOICES)?;
        ConfigError::within("d_ff", self.hidden(decoder), MAX_HIDDEN)?;
        if self.top_k > self.n_experts {
            return Err(ConfigError::new(
                "top_k",
                format!("= {} exceeds n_experts = {}", self.top_k, self.n_experts),
                "lower top_k or raise n_experts",
            ));
        }
        for (key, value) in [
            ("route_scale", self.route_scale),
            ("bias_rate", self.bias_rate),
            ("balance_loss", self.balance_loss),
        ] {
            if !(value >= 0.0 && value.is_finite()) {
                let problem = format!("= {value} is not a number of 0 or more");
                return Err(ConfigError::new(
                    key,
                    problem,
                    "leave it out for the default",
                ));
            }
        }
        if self.route_scale == 0.0 {
            let problem = "= 0 removes the routed experts";
            return Err(ConfigError::new(
                "route_scale",
                problem,
                "use a positive factor",
            ));
        }
        Ok(())
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let (d_model, d_ff) = (decoder.d_model, self.hidden(decoder));
        let routed = Experts::cost(d_model, d_ff, self.n_experts, self.top_k as f64);
        let shared = Dense::cost(d_model, self.n_shared * d_ff);
        routed + shared + Cost::matrix(d_model, self.n_experts)
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        let (d_model, d_ff) = (decoder.d_model, self.hidden(decoder));
        let routed = Experts::activations(d_model, d_ff, self.top_k as f64);
        routed + Dense::activations(self.n_shared * d_ff) + Activations::stored(self.n_experts)
    }

    fn build(&self, builder: &mut Builder) -> DeepseekMoe {
        let (d_model, d_ff) = (builder.decoder.d_model, self.hidden(builder.decoder));
        let shared = (self.n_shared > 0).then(|| {
            builder.within("shared", |builder| {
                Dense::build(builder, self.n_shared * d_ff)
            })
        });
        DeepseekMoe {
            router: builder.linear("router", d_model, self.n_experts).in_f32(),
            experts: Experts::build(builder, self.n_experts, d_ff),
            shared,
            bias: Buffer::new(vec![0.0; self.n_experts]),
            config: self.clone(),
        }
    }
}

/// A DeepSeekMoE layer.
#[derive(Module, Debug)]
pub struct DeepseekMoe {
    router: Linear,
    experts: Experts,
    shared: Option<Dense>,
    #[module(skip)]
    bias: Buffer,
    #[module(skip)]
    config: DeepseekMoeConfig,
}

impl Block for DeepseekMoe {
    fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3> {
        let shape = x.dims();
        let [batch, seq, d_model] = shape;
        let x = x.reshape([batch * seq, d_model]);
        let affinities = activation::sigmoid(self.router.forward(x.clone()));
        let (assignments, weights) = self.select(affinities.clone(), context.pass);
        if context.pass.is_training() && self.config.balance_loss > 0.0 {
            let loss = balance_loss(&assignments, affinities, [batch, seq]);
            context
                .pass
                .add_auxiliary_loss(loss * self.config.balance_loss);
        }
        if context.pass.observes() {
            assignments.observe(context.pass);
        }
        if context.pass.is_differentiated() {
            context.pass.record(&self.bias, assignments.loads());
        }
        let mut y = self.experts.apply(x.clone(), weights, &assignments);
        if let Some(shared) = &self.shared {
            y = y + shared.apply(x);
        }
        y.reshape(shape)
    }

    fn buffers(&self) -> Vec<&Buffer> {
        vec![&self.bias]
    }

    fn update_buffers(&self, statistics: &Statistics, _: &[f32]) {
        let Some(loads) = statistics.of(&self.bias) else {
            return;
        };
        let n_experts = self.config.n_experts as i64;
        // An integer is below a mean if it is below the mean rounded up, and above it if it is above the mean rounded down.
        let total = loads.clone().sum();
        let up = (total.clone() + (n_experts - 1)).div_scalar(n_experts);
        let down = total.div_scalar(n_experts);
        let all = |mean: Tensor<1, Int>| mean.expand([self.config.n_experts]);
        let below = loads.clone().lower(all(up)).float();
        let above = loads.clone().greater(all(down)).float();
        let bias = self.bias.on(&loads.device());
        self.bias
            .set(bias + (below - above) * self.config.bias_rate as f32);
    }
}

impl DeepseekMoe {
    /// The experts of each token by affinity plus bias, and their weights, without the bias.
    fn select(&self, affinities: Tensor<2>, pass: &mut Pass) -> (Assignments, Tensor<1>) {
        let top_k = self.config.top_k;
        let [tokens, n_experts] = affinities.dims();
        let assignments = pass.assignments(|| {
            let affinities = affinities.clone().inner();
            let bias = self.bias.on(&affinities.device());
            routing::token_choice(&(affinities + bias.reshape([1, n_experts])), top_k)
        });
        let mut weights = assignments.weights(affinities);
        if self.config.normalise_weights {
            let of_token = weights.reshape([tokens, top_k]);
            weights = (of_token.clone() / of_token.sum_dim(1)).reshape([tokens * top_k]);
        }
        (assignments, weights * self.config.route_scale)
    }
}

/// `sum_i f_i P_i` per sequence, averaged over sequences: `f_i` the expert's share of the sequence's assignments times
/// `n_experts`, `P_i` its mean normalised affinity; `affinities [batch * seq, n_experts]`.
fn balance_loss(
    assignments: &Assignments,
    affinities: Tensor<2>,
    [batch, seq]: [usize; 2],
) -> Tensor<1> {
    let [_, n_experts] = affinities.dims();
    let of_sequence = assignments.count() / batch;
    let frequencies = assignments.weighted_loads(seq, n_experts as f32 / of_sequence as f32);
    let normalised = affinities.clone() / affinities.sum_dim(1);
    let mean = normalised
        .reshape([batch, seq, n_experts])
        .mean_dim(1)
        .reshape([batch, n_experts]);
    (frequencies * mean).sum() / batch as f64
}

#[cfg(test)]
mod tests;
