//! The solver's request, `[blocks.LABEL.solve]` of a sweep file.

use std::collections::BTreeMap;
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

/// The free knobs by name, with their bounds.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Knobs(pub BTreeMap<String, Bounds>);

impl Knobs {
    /// The free knobs of a block of `kind` with their bounds, in the order of [`Knob::of_kind`].
    ///
    /// # Errors
    /// If a name is not one of a knob of that kind; returns the name.
    pub fn of_kind(&self, kind: &str) -> Result<Vec<(Knob, Bounds)>, String> {
        let all = Knob::of_kind(kind);
        let known = |name: &&String| all.iter().any(|knob| knob.name() == **name);
        if let Some(unknown) = self.0.keys().find(|name| !known(name)) {
            return Err(unknown.clone());
        }
        let free = |knob: Knob| Some((knob, *self.0.get(knob.name())?));
        Ok(all.into_iter().filter_map(free).collect())
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
        // No value at the end of the integers: the first value may be beyond them.
        let max = self
            .at_most
            .unwrap_or(knob.default_max(decoder))
            .min(usize::MAX - 1);
        let (first, step) = match (knob, self.multiple_of) {
            // The number of layers of a centred placement is odd: the odd multiples, which even divisors do not have.
            (knob, _) if knob.is_layers() => {
                let first = next_multiple(min, multiple);
                let even = usize::from(first.is_multiple_of(2));
                let odd = first.saturating_add(multiple.saturating_mul(even));
                (odd, multiple.saturating_mul(2))
            }
            (_, Some(_)) => (next_multiple(min, multiple), multiple),
            (_, None) => {
                let step = knob.step(decoder);
                (next_multiple(min, step), step)
            }
        };
        let even_layers = knob.is_layers() && multiple.is_multiple_of(2);
        let count = if first > max || even_layers {
            0
        } else {
            (max - first) / step + 1
        };
        KnobValues { first, step, count }
    }
}

/// The first multiple of `step` that is `least` or more; the largest integer if it is greater than that.
fn next_multiple(least: usize, step: usize) -> usize {
    least.checked_next_multiple_of(step).unwrap_or(usize::MAX)
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
            let values = bounds.values(Knob::named("dense", "layers").unwrap(), &decoder);
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
