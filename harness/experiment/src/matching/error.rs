//! Errors of the solver.

use super::knob::Knob;
use super::request::Side;
use super::target::Target;
use crate::quantity::count;

/// A request that is invalid or has no solution; the message is a problem and, after a semicolon, its remedy.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum SolveError {
    /// The knob is not part of the block's configuration.
    #[error("{knob} is not a knob of this block; choose from: {}", names(.known))]
    NoSuchKnob {
        /// The requested knob.
        knob: String,
        /// The knobs of the block.
        known: Vec<Knob>,
    },
    /// The number of layers is free, but the placement is not centred.
    #[error(
        "layers is not a knob of this placement; it requires placement = {{ centred = {{ stride = N }} }}, whose count it sets"
    )]
    NotCentred,
    /// The request has no free knob.
    #[error("has no free knob; write at least one, such as knobs = {{ n_keys = {{}} }}")]
    NoKnob,
    /// The target is zero for the reference.
    #[error(
        "requires equal {target}, which is 0 for {reference}; choose another reference, such as a memory block"
    )]
    ZeroReference {
        /// The quantity to match.
        target: Target,
        /// Label of the reference, with its size.
        reference: String,
    },
    /// There are too many combinations to evaluate.
    #[error(
        "has {combinations} combinations to evaluate, too many; bound the knobs with at_most, or free fewer"
    )]
    TooManyCombinations {
        /// Number of combinations of all knobs except the bisected one.
        combinations: u128,
    },
    /// No values within the bounds give a valid model on the requested side.
    #[error(
        "has no valid values within the bounds{}{config_error}; widen the bounds or change side",
        side_condition(*.side)
    )]
    NoValidValues {
        /// Required side of the reference.
        side: Side,
        /// The error of the model's configuration, in parentheses; empty unless the model is invalid at both ends
        /// of the bounds.
        config_error: String,
    },
    /// The nearest value exceeds the tolerance.
    #[error(
        "cannot bring {target} to {} ({reference}) within {}: the nearest is {} ({:+.2} %) with {knobs}; raise the \
         tolerance, widen the bounds, free another knob or choose another reference",
        count(*.wanted as f64),
        percent(*.tolerance),
        count(*.nearest as f64),
        100.0 * (*.nearest as f64 / *.wanted as f64 - 1.0)
    )]
    Unreachable {
        /// The quantity to match.
        target: Target,
        /// Label of the reference, with its size.
        reference: String,
        /// Value of the reference, in the unit of the target.
        wanted: u64,
        /// Nearest value within the bounds, in the same unit.
        nearest: u64,
        /// Maximum relative difference.
        tolerance: f64,
        /// The knobs at the nearest value, such as `n_keys = 50`.
        knobs: String,
    },
}

fn names(knobs: &[Knob]) -> String {
    let names: Vec<&str> = knobs.iter().map(|knob| knob.name()).collect();
    names.join(", ")
}

/// The condition that `side` adds to the message of an error.
fn side_condition(side: Side) -> &'static str {
    match side {
        Side::Nearest => "",
        Side::Above => " at or above the reference",
        Side::Below => " at or below the reference",
    }
}

/// A fraction as a percentage, such as `0.25 %`.
fn percent(fraction: f64) -> String {
    format!("{} %", (1e6 * fraction).round() / 1e4)
}
