//! Mixture of experts: SwiGLU feed-forwards, of which a router selects few for each token.
//!
//! ```text
//! p = softmax(x Wg)                                   [tokens, n_experts], in f32
//! token choice : o = sum over the token's top_k experts e of p_e FFN_e(x)     (Shazeer 2017; dropless)
//! expert choice: each expert takes its own top  capacity_factor * tokens / n_experts  tokens   (Zhou 2022)
//! ```
//!
//! Token choice adds `balance_loss * n_experts sum_e f_e P_e` (f the share of assignments, P the mean of p; Fedus 2021)
//! and `z_loss * mean(logsumexp(x Wg)^2)` (Zoph 2022). Expert choice is balanced by construction, but its selection
//! depends on every token of the batch, so it is used in training only; evaluation is top-1, as in "Memory Layers at
//! Scale". Cost per token: `2 d_model n_experts` for the router, and `top_k` feed-forwards (`capacity_factor` of them on
//! average under expert choice).
//!
//! ```
//! # use architectures::{Architecture, DecoderConfig, mixture_of_experts::MixtureOfExpertsConfig};
//! # let decoder: DecoderConfig = serde_json::from_str(
//! #     r#"{"vocab_size": 32000, "d_model": 768, "n_layers": 12, "n_heads": 12, "seq_len": 4096}"#).unwrap();
//! let moe: MixtureOfExpertsConfig = serde_json::from_str(r#"{"n_experts": 16}"#).unwrap();
//! let cost = moe.cost(&decoder);
//! assert_eq!(cost.params_dense, 16 * 3 * 768 * 2048 + 768 * 16);
//! assert_eq!(cost.forward(), 2 * (3 * 768 * 2048 + 768 * 16));
//! ```

use crate::linear::Linear;
use burn::module::Module;
use burn::tensor::{Tensor, activation};
use serde::{Deserialize, Serialize};

use crate::activations::Activations;
use crate::block::{Architecture, Block, Builder};
use crate::config::{ConfigError, DecoderConfig, MAX_CHOICES, MAX_HIDDEN};
use crate::context::Context;
use crate::cost::Cost;
use crate::experts::Experts;
use crate::knob::Knob;
use crate::pass::Pass;
use crate::routing::{self, Assignments};

/// What a solver may vary.
pub const KNOBS: &[Knob] = &[
    Knob::count(&["n_experts"], 4096),
    Knob::D_FF,
    Knob::count(&["top_k"], 1024),
];

/// The selection of experts in training.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Routing {
    /// Each token selects its `top_k` experts; no token is dropped.
    #[default]
    TokenChoice,
    /// Each expert selects its tokens in training, each token its most probable expert in evaluation.
    ExpertChoice,
}

/// Options of a mixture of experts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MixtureOfExpertsConfig {
    /// Number of experts.
    pub n_experts: usize,
    /// Experts of each token under token choice.
    #[serde(default = "default_top_k")]
    pub top_k: usize,
    /// Hidden width of one expert; the decoder's when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub d_ff: Option<usize>,
    /// How experts are selected.
    #[serde(default)]
    pub routing: Routing,
    /// Feed-forwards per token, on average, under expert choice.
    #[serde(default = "default_capacity_factor")]
    pub capacity_factor: f64,
    /// Normalises the selected experts' weights to sum to one; requires `top_k` above 1, since the router of one expert would
    /// have no gradient.
    #[serde(default)]
    pub normalise_weights: bool,
    /// Weight of the balance loss.
    #[serde(default = "default_balance_loss")]
    pub balance_loss: f64,
    /// Weight of the z loss.
    #[serde(default = "default_z_loss")]
    pub z_loss: f64,
}

fn default_top_k() -> usize {
    1
}
fn default_capacity_factor() -> f64 {
    1.0
}
fn default_balance_loss() -> f64 {
    1e-2
}
fn default_z_loss() -> f64 {
    1e-3
}

impl MixtureOfExpertsConfig {
    fn hidden(&self, decoder: &DecoderConfig) -> usize {
        self.d_ff.unwrap_or(decoder.hidden())
    }

    /// Feed-forwards evaluated per token in training.
    fn experts_per_token(&self) -> f64 {
        match self.routing {
            Routing::TokenChoice => self.top_k as f64,
            Routing::ExpertChoice => self.capacity_factor,
        }
    }
}

impl Architecture for MixtureOfExpertsConfig {
    type Block = MixtureOfExperts;

    fn check(&self, decoder: &DecoderConfig) -> Result<(), ConfigError> {
        ConfigError::within("n_experts", self.n_experts, MAX_CHOICES)?;
        ConfigError::positive("top_k", self.top_k)?;
        ConfigError::within("d_ff", self.hidden(decoder), MAX_HIDDEN)?;
        if self.top_k > self.n_experts {
            return Err(ConfigError::new(
                "top_k",
                format!("= {} exceeds n_experts = {}", self.top_k, self.n_experts),
                "lower top_k or raise n_experts",
            ));
        }
        if self.routing == Routing::ExpertChoice && self.top_k != 1 {
            return Err(ConfigError::new(
                "top_k",
                format!("= {} has no meaning under expert choice", self.top_k),
                "leave it out: evaluation is top-1; `capacity_factor` sets the feed-forwards per token",
            ));
        }
        if self.normalise_weights && self.top_k == 1 {
            return Err(ConfigError::new(
                "normalise_weights",
                "with top_k = 1 makes every weight 1, so that the router has no gradient",
                "leave it out or raise top_k",
            ));
        }
        let factor = self.capacity_factor;
        if !(factor > 0.0 && factor <= self.n_experts as f64) {
            return Err(ConfigError::new(
                "capacity_factor",
                format!(
                    "= {factor} is not between 0 and n_experts = {}",
                    self.n_experts
                ),
                "1 gives the FLOPs of one feed-forward",
            ));
        }
        for (key, weight) in [("balance_loss", self.balance_loss), ("z_loss", self.z_loss)] {
            if !(weight >= 0.0 && weight.is_finite()) {
                return Err(ConfigError::new(
                    key,
                    format!("= {weight} is negative"),
                    "use 0 for none",
                ));
            }
        }
        Ok(())
    }

    fn cost(&self, decoder: &DecoderConfig) -> Cost {
        let experts = Experts::cost(
            decoder.d_model,
            self.hidden(decoder),
            self.n_experts,
            self.experts_per_token(),
        );
        experts + Cost::matrix(decoder.d_model, self.n_experts)
    }

    fn activations(&self, decoder: &DecoderConfig) -> Activations {
        let (d_model, d_ff) = (decoder.d_model, self.hidden(decoder));
        let experts = Experts::activations(d_model, d_ff, self.experts_per_token());
        // Exponentials of the softmax and of the z loss.
        experts + Activations::stored(2 * self.n_experts)
    }

    fn build(&self, builder: &mut Builder) -> MixtureOfExperts {
        let d_model = builder.decoder.d_model;
        MixtureOfExperts {
            router: builder.linear("router", d_model, self.n_experts).in_f32(),
            experts: Experts::build(builder, self.n_experts, self.hidden(builder.decoder)),
            config: self.clone(),
        }
    }
}

/// A mixture of experts.
#[derive(Module, Debug)]
pub struct MixtureOfExperts {
    router: Linear,
    experts: Experts,
    #[module(skip)]
    config: MixtureOfExpertsConfig,
}

impl Block for MixtureOfExperts {
    fn forward(&self, x: Tensor<3>, context: &mut Context) -> Tensor<3> {
        let shape = x.dims();
        let [batch, seq, d_model] = shape;
        let tokens = x.reshape([batch * seq, d_model]);
        let logits = self.router.forward(tokens.clone());
        let probabilities = activation::softmax(logits.clone(), 1);
        let (assignments, weights) = match self.config.routing {
            Routing::ExpertChoice if context.pass.is_training() => {
                let factor = self.config.capacity_factor;
                let route = || routing::expert_choice(&probabilities, factor);
                let assignments = context.pass.assignments(route);
                let weights = assignments.weights(probabilities);
                (assignments, weights)
            }
            _ => self.token_choice(logits, probabilities, context.pass),
        };
        self.experts
            .apply(tokens, weights, &assignments)
            .reshape(shape)
    }
}

impl MixtureOfExperts {
    fn token_choice(
        &self,
        logits: Tensor<2>,
        probabilities: Tensor<2>,
        pass: &mut Pass,
    ) -> (Assignments, Tensor<1>) {
        let config = &self.config;
        let [tokens, _] = logits.dims();
        let top_k = match config.routing {
            Routing::TokenChoice => config.top_k,
            Routing::ExpertChoice => 1,
        };
        let assignments = pass.assignments(|| routing::token_choice(&probabilities, top_k));
        if pass.is_training() {
            let shares = assignments.shares();
            let mean = probabilities.clone().mean_dim(0);
            let balance = (shares * mean).sum() * (config.n_experts as f64 * config.balance_loss);
            let peak = logits.clone().max_dim(1).detach();
            let log_sum_exp = (logits - peak.clone()).exp().sum_dim(1).log() + peak;
            let z = log_sum_exp.square().sum() * (config.z_loss / tokens as f64);
            pass.add_auxiliary_loss(balance + z);
        }
        if pass.observes() {
            assignments.observe(pass);
        }
        let mut weights = assignments.weights(probabilities);
        if config.normalise_weights {
            let of_token = weights.reshape([tokens, top_k]);
            weights = (of_token.clone() / of_token.sum_dim(1)).reshape([tokens * top_k]);
        }
        (assignments, weights)
    }
}
