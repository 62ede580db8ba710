//! Claims of the paper, each with a rule over the rows that alone determines the verdict.
//!
//! The headlines are those of Berges et al. (arXiv 2412.09764), abstract and section 5, in our own words. A verdict is
//! valid only at the scale of the recorded runs: a headline about models that were not trained here is not tested, whatever
//! the results of small models. A rule that applies and cannot decide gives "not tested" as well, with what was undecided.
//!
//! An interval from one training run of each block covers the choice of items and not variation over seeds, so that a
//! verdict from one run each is a separate, weaker outcome, never counted with those from several.

mod compute_gain;
mod evidence;
mod experts;
mod headlines;
mod layers;
mod rules;
mod scope;
mod verdict;

pub use headlines::claims;
pub use verdict::{Claim, Finding, Verdict};

#[cfg(test)]
pub mod tests;
