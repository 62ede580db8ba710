//! The request of a solver, as written in a sweep file: `[blocks.LABEL.solve]`.

use std::num::NonZeroUsize;

use architectures::DecoderConfig;
use serde::Deserialize;

use super::knob::Knob;
use super::target::Target;

/// What is to be equal, to what, how nearly, and which knobs are free.
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
    /// The free knobs.
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
    /// Experts of a mixture.
    pub n_experts: Option<Bounds>,
    /// Hidden width of an expert or of a dense block.
    pub d_ff: Option<Bounds>,
    /// Half-keys of a product-key block.
    pub n_keys: Option<Bounds>,
    /// Slots per head, or experts per token.
    pub top_k: Option<Bounds>,
    /// Heads of a product-key block.
    pub n_heads: Option<Bounds>,
    /// Layers of a centred placement.
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
    /// Smallest value; 1 when absent.
    pub at_least: Option<usize>,
    /// Largest value; [`Knob::most`] when absent.
    pub at_most: Option<usize>,
    /// The value is a multiple of this; of [`Knob::step`] when absent.
    pub multiple_of: Option<NonZeroUsize>,
}

impl Bounds {
    /// The values of `knob` in ascending order, as a rule: none where the bounds leave none.
    pub fn values(self, knob: Knob, decoder: &DecoderConfig) -> Values {
        let multiple = self.multiple_of.map_or(1, usize::from);
        let least = self.at_least.unwrap_or(1).max(1);
        let most = self.at_most.unwrap_or(knob.most(decoder));
        let (first, step) = match (knob, self.multiple_of) {
            // A centred placement has a middle: odd multiples, of which an even number has none.
            (Knob::Layers, _) => {
                let first = least.next_multiple_of(multiple);
                let odd = first + multiple * (first + 1).rem_euclid(2);
                (odd, 2 * multiple)
            }
            (_, Some(_)) => (least.next_multiple_of(multiple), multiple),
            (_, None) => {
                let step = knob.step(decoder);
                (least.next_multiple_of(step), step)
            }
        };
        let even_layers = knob == Knob::Layers && multiple.is_multiple_of(2);
        let count = if first > most || even_layers {
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
    /// Smallest value.
    pub first: usize,
    /// Difference between neighbouring values.
    pub step: usize,
    /// Number of values.
    pub count: usize,
}

impl Values {
    /// The value of this rank.
    pub fn at(self, rank: usize) -> usize {
        self.first + rank * self.step
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_odd_multiples() {
        let decoder: DecoderConfig = serde_json::from_str(
            r#"{"vocab_size": 50, "d_model": 16, "n_layers": 12, "n_heads": 2, "seq_len": 8}"#,
        )
        .unwrap();
        let values = |at_least, multiple_of| {
            let bounds = Bounds {
                at_least,
                at_most: None,
                multiple_of: NonZeroUsize::new(multiple_of),
            };
            let values = bounds.values(Knob::Layers, &decoder);
            (0..values.count)
                .map(|rank| values.at(rank))
                .collect::<Vec<_>>()
        };
        assert_eq!(values(None, 0), [1, 3, 5, 7, 9, 11]);
        assert_eq!(values(Some(4), 0), [5, 7, 9, 11]);
        assert_eq!(values(None, 3), [3, 9]);
        assert_eq!(values(Some(4), 3), [9]);
        assert_eq!(values(None, 2), [0; 0]);
    }
}
