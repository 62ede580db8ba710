//! Why a target cannot be met.

use super::knob::Knob;
use super::request::Side;
use super::target::Target;
use crate::quantity::count;

/// A request without a solution.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// The block has no such integer.
    #[error("{knob} is no knob of this block; {}", remedy_for(*.knob))]
    NoSuchKnob {
        /// The knob that the block lacks.
        knob: Knob,
    },
    /// The request frees no knob.
    #[error("frees no knob; write at least one, such as knobs = {{ n_keys = {{}} }}")]
    NoKnob,
    /// The reference has none of the target.
    #[error(
        "requires equal {target}, of which {reference} has none; choose another reference, such as a memory block"
    )]
    Nothing {
        /// What was to be equal.
        target: Target,
        /// Label of the reference, with its size.
        reference: String,
    },
    /// Too much to try.
    #[error(
        "leaves {combinations} combinations to try; bound the knobs with at_most, or free fewer"
    )]
    TooMany {
        /// Combinations of all knobs but the bisected one.
        combinations: u128,
    },
    /// No shape within the bounds can be built, or none on the requested side.
    #[error(
        "has no values within the bounds that can be built{}{shape_error}; widen the bounds or change side",
        on(*.side)
    )]
    Empty {
        /// Side of the reference that was required.
        side: Side,
        /// Why no shape can be built, in parentheses; empty where some can.
        shape_error: String,
    },
    /// The nearest value is outside the tolerance.
    #[error(
        "cannot bring {target} to {} ({reference}) within {}: the nearest is {} ({:+.2} %) with {knobs}; raise the \
         tolerance, widen the bounds, free another knob or choose another reference",
        count(*.wanted as f64),
        percent(*.tolerance),
        count(*.nearest as f64),
        100.0 * (*.nearest as f64 / *.wanted as f64 - 1.0)
    )]
    Unreachable {
        /// What was to be equal.
        target: Target,
        /// Label of the reference, with its size.
        reference: String,
        /// Value of the reference, in the unit of the target.
        wanted: u64,
        /// Nearest value within the bounds, in the same unit.
        nearest: u64,
        /// Largest relative difference allowed.
        tolerance: f64,
        /// The knobs at the nearest value, such as `n_keys = 50`.
        knobs: String,
    },
}

fn remedy_for(knob: Knob) -> &'static str {
    match knob {
        Knob::Layers => "it turns the count of placement = { centred = { stride = N } }",
        _ => "choose one of its own keys",
    }
}

fn on(side: Side) -> &'static str {
    match side {
        Side::Nearest => "",
        Side::Above => " and are not below the reference",
        Side::Below => " and are not above the reference",
    }
}

/// `1 %`, `0.25 %`.
fn percent(share: f64) -> String {
    format!("{} %", (1e6 * share).round() / 1e4)
}
