//! The paper's headlines against the rows: each has a rule, and the rule alone gives the verdict.
//!
//! The headlines are those of Berges et al. (arXiv 2412.09764), abstract and section 5, in our own words. A verdict speaks of
//! the scale that ran here and of no other: a headline about models that nobody trained here is not tested, whatever
//! small models did. A rule that applies and cannot decide gives "not tested" as well, and says what was undecided.
//!
//! One training run of each block shows how sure the answers are and not how another seed would do, so that a verdict from
//! one run each is an outcome of its own: weaker, and never counted with those from several.

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
