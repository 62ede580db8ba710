//! What a solver is asked for, as a sweep file says it: `[blocks.LABEL.solve]`.

use architectures::DecoderConfig;
use serde::Deserialize;

use super::knob::Knob;
use super::target::Target;

/// What is to be equal, to what, how nearly, and which knobs may be turned for it.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// What is to be equal.
    pub equal: Target,
    /// Label of the block that sets the value; `dense` is the size's dense decoder, listed or not.
    #[serde(default = "dense")]
    pub reference: String,
    /// Label of the size of the reference; the block's own when absent.
    pub reference_size: Option<String>,
    /// Largest relative difference.
    #[serde(default = "one_percent")]
    pub tolerance: f64,
    /// On which side of the reference the block may end.
    #[serde(default)]
    pub side: Side,
    /// What may be turned.
    pub knobs: Knobs,
}

fn dense() -> String {
    "dense".to_owned()
}
fn one_percent() -> f64 {
    0.01
}

/// A side of the reference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Either.
    #[default]
    Nearest,
    /// The lowest that is not below it.
    Above,
    /// The highest that is not above it.
    Below,
}

/// The free knobs, each with its bounds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knobs {
    pub n_experts: Option<Bounds>,
    pub d_ff: Option<Bounds>,
    pub n_keys: Option<Bounds>,
    pub top_k: Option<Bounds>,
    pub n_heads: Option<Bounds>,
    pub layers: Option<Bounds>,
}

impl Knobs {
    /// Those that are free, in a fixed order.
    pub fn free(&self) -> Vec<(Knob, Bounds)> {
        let bounds = |knob| match knob {
            Knob::NExperts => self.n_experts,
            Knob::DFf => self.d_ff,
            Knob::NKeys => self.n_keys,
            Knob::TopK => self.top_k,
            Knob::NHeads => self.n_heads,
            Knob::Layers => self.layers,
        };
        Knob::ALL
            .into_iter()
            .filter_map(|knob| Some((knob, bounds(knob)?)))
            .collect()
    }
}

/// The values that a knob may take.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bounds {
    pub at_least: Option<usize>,
    pub at_most: Option<usize>,
    pub multiple_of: Option<usize>,
}

impl Bounds {
    /// The values of `knob` in ascending order, as a rule: none where the bounds leave none.
    pub fn values(self, knob: Knob, decoder: &DecoderConfig) -> Values {
        let step = self.multiple_of.unwrap_or(knob.step(decoder)).max(1);
        let least = self.at_least.unwrap_or(1).max(1);
        let most = self.at_most.unwrap_or(knob.most(decoder));
        // Layers are the odd numbers, all others the multiples of their step.
        let first = match (knob, self.multiple_of) {
            (Knob::Layers, None) => least | 1,
            _ => least.next_multiple_of(step),
        };
        let count = if first > most {
            0
        } else {
            (most - first) / step + 1
        };
        Values { first, step, count }
    }
}

/// `first, first + step, ...`: `count` of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Values {
    pub first: usize,
    pub step: usize,
    pub count: usize,
}

impl Values {
    /// The value of this rank.
    pub fn at(self, rank: usize) -> usize {
        self.first + rank * self.step
    }
}
