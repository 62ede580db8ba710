//! The gain of a block, in dense's compute and parameters.
//!
//! A score says that a block is better; a gain says how much more of something dense would have needed to be as good. The
//! curve that is asked is dense's, measured on its own rungs: between them it is a straight line over the logarithm of
//! cost, and past them nothing is claimed but a bound ([`Ratio::AtLeast`], [`Ratio::AtMost`]).
//!
//! | question | function | interval |
//! |---|---|---|
//! | how much more compute, or how many more parameters, for the block's loss? | [`gain_in_loss`] | Student's t over seeds, drawn |
//! | the same for its accuracy | [`gain_in_accuracy`] | bootstrap over items, the same for all; and over seeds |
//! | how many tokens until a loss is reached? | [`tokens_to_loss`] | |
//! | until any score is reached? | [`tokens_to_score`] | |
//!
//! A gain compares at equal score, not at equal cost, so it grows without bound where dense's curve is flat: a small
//! difference at the end of a flat curve is a large gain with a wide interval. It speaks of the sizes that ran, of what was
//! counted as cost, and of this training; it is not a speed-up.

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
