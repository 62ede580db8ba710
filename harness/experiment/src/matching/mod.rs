//! Matching: a solver for the free knobs (integers of a block's configuration) so that the cost of a model equals that
//! of a reference.
//!
//! ```text
//! wanted    = target(cost of the reference)         FLOPs, parameters or bytes per token, by formula
//! solution  = values within their bounds that minimise |target(cost of the model) - wanted|, on the requested side
//! ```
//!
//! Costs are monotone in every knob, so one knob is found by bisection for each combination of values of the others.
//! The solver evaluates [`architectures::Cost`] and builds no model.

mod error;
mod knob;
mod matched;
mod request;
mod search;
mod solve;
mod target;
#[cfg(test)]
mod tests;

pub use error::SolveError;
pub use knob::Knob;
pub use matched::{Matched, TRAIN_FLOPS};
pub use request::{Bounds, Knobs, Side, SolveRequest};
pub use solve::solve;
pub use target::Target;
