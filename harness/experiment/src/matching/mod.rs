//! Matching: which values of a block's free knobs make it cost what a reference costs.
//!
//! ```text
//! wanted    = target(cost of the reference)         FLOPs, parameters or bytes of one token's pass, by formula
//! solution  = the values within their bounds whose model comes nearest, on the requested side
//! ```
//!
//! Costs are monotone in every knob, so one knob is bisected; combinations of the others are tried one by one. Nothing
//! is built: this is arithmetic on [`architectures::Cost`].

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
pub use request::{Bounds, Knobs, Request, Side};
pub use solve::solve;
pub use target::Target;
