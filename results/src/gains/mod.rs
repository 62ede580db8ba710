//! The gain of a block, in dense's compute and parameters.
//!
//! A gain is the factor by which dense's cost must grow to reach the score of a block. Dense's score over cost is measured
//! on its own rungs, the sizes and budgets that were trained: between them it is linear in the logarithm of cost, and
//! outside them the gain is a bound ([`Ratio::AtLeast`], [`Ratio::AtMost`]).
//!
//! | question | function | interval |
//! |---|---|---|
//! | how much more compute, or how many more parameters, for the block's loss? | [`gain_in_loss`] | resamples of Student's t over seeds |
//! | the same for its accuracy | [`gain_in_accuracy`] | bootstrap over items, shared by all rungs; Student's t over seeds |
//! | after how many tokens is a loss reached? | [`tokens_to_loss`] | |
//! | the same for any score | [`tokens_to_score`] | |
//!
//! A gain compares at equal score, not at equal cost, so it grows without bound where dense's curve is flat: a small
//! difference at the end of a flat curve is a large gain with a wide interval. It is valid for the sizes that were trained,
//! for what was counted as cost, and for this training setup; it is not a speed-up.

mod accuracy;
mod cost_axis;
mod curve;
mod gain;
mod loss;
mod sample;
#[cfg(test)]
mod tests;
mod tokens;

pub use accuracy::{RungItems, gain_in_accuracy};
pub use cost_axis::{Better, CostAxis};
pub use gain::{Gain, NoGain, Ratio};
pub use loss::{RungLosses, gain_in_loss};
pub use tokens::{TokensToScore, tokens_to_loss, tokens_to_score};
