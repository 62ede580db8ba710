//! The solver's request, `[blocks.LABEL.solve]` of a sweep file.

use std::num::NonZeroUsize;

use architectures::DecoderConfig;
use serde::Deserialize;

use super::knob::Knob;
use super::target::Target;

/// A request to the solver: the target, the reference, the tolerance and the free knobs.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SolveRequest {
    /// The quantity to match.
    pub equal: Target,
    /// Label of the reference block; `dense` is the dense decoder of the size, even if the sweep has no such block.
    #[serde(default = "dense")]
    pub reference: String,
    /// Label of the reference's size; `None` for the size of the block.
    pub reference_size: Option<String>,
    /// Maximum relative difference.
    #[serde(default = "one_percent")]
    pub tolerance: f64,
    /// Allowed side of the reference.
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

/// Allowed side of the reference for the solution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// Either side.
    #[default]
    Nearest,
    /// At or above the reference.
    Above,
    /// At or below the reference.
    Below,
}

/// The free knobs, each with its bounds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Knobs {
    /// Number of experts of a mixture.
    pub n_experts: Option<Bounds>,
    /// Hidden width of an expert or of a dense block.
    pub d_ff: Option<Bounds>,
    /// Number of half-keys of a product-key block.
    pub n_keys: Option<Bounds>,
    /// Number of slots per head, or of experts per token.
    pub top_k: Option<Bounds>,
    /// Number of heads of a product-key block.
    pub n_heads: Option<Bounds>,
    /// Number of layers of a centred placement.
    pub layers: Option<Bounds>,
}

impl Knobs {
    /// The free knobs with their bounds, in the order of [`Knob::ALL`].
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

/// Bounds of a knob's values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Bounds {
    /// Smallest value; 1 if `None`.
    pub at_least: Option<usize>,
    /// Largest value; [`Knob::default_max`] if `None`.
    pub at_most: Option<usize>,
    /// Divisor of all values; [`Knob::step`] determines the values if `None`.
    pub multiple_of: Option<NonZeroUsize>,
}

impl Bounds {
    /// The values of `knob` within the bounds, as an arithmetic progression; it is empty if there are none.
    pub fn values(self, knob: Knob, decoder: &DecoderConfig) -> KnobValues {
        let multiple = self.multiple_of.map_or(1, usize::from);
        let min = self.at_least.unwrap_or(1).max(1);
        let max = self.at_most.unwrap_or(knob.default_max(decoder));
        let (first, step) = match (knob, self.multiple_of) {
            // The number of layers of a centred placement is odd: the odd multiples, which even divisors do not have.
            (Knob::Layers, _) => {
                let first = min.next_multiple_of(multiple);
                let odd = first + multiple * (first + 1).rem_euclid(2);
                (odd, 2 * multiple)
            }
            (_, Some(_)) => (min.next_multiple_of(multiple), multiple),
            (_, None) => {
                let step = knob.step(decoder);
                (min.next_multiple_of(step), step)
            }
        };
        let even_layers = knob == Knob::Layers && multiple.is_multiple_of(2);
        let count = if first > max || even_layers {
            0
        } else {
            (max - first) / step + 1
        };
        KnobValues { first, step, count }
    }
}

/// The arithmetic progression `first, first + step, ...` of `count` values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KnobValues {
    /// Smallest value.
    pub first: usize,
    /// Difference between neighbouring values.
    pub step: usize,
    /// Number of values.
    pub count: usize,
}

impl KnobValues {
    /// The value at zero-based `rank`.
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
