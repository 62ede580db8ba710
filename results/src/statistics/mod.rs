//! Confidence intervals of scores, losses and differences.
//!
//! Every function is a pure function of its arguments: the resampling takes a seed and draws each resample from its own
//! stream, so that the result depends neither on the order of calls nor on the number of threads.
//!
//! | question | function | method |
//! |---|---|---|
//! | what is the accuracy of one model? | [`wilson`] | Wilson's score interval |
//! | the mean, or the ratio of totals, of what was measured | [`bootstrap_mean`], [`bootstrap_ratio`] | percentile bootstrap |
//! | the mean over seeds *and* items | [`crossed_mean`] | bootstrap with one seed, Student's t with several |
//! | is one block better than another on the same items? | [`paired_difference`] | the same, on differences; with one seed also a score interval and an exact sign test |
//! | a number that each seed has once, such as a loss | [`mean_over_seeds`] | Student's t |
//! | the same between two blocks on the same seeds | [`paired_over_seeds`] | Student's t, on differences |
//! | the same, while seeds are added until it is decided | [`confidence_sequence`], [`ln_e_value`] | t e-process |
//! | several such claims together | [`rejected_together`] | Holm |
//!
//! Intervals of fits are in [`fits`](crate::fits), those of gains in [`gains`](crate::gains); they resample with the same
//! streams. No interval is corrected for multiple comparisons over blocks, sizes or suites; [`rejected_together`] is.

mod bootstrap;
mod crossed;
mod interval;
mod paired;
mod score;
mod seeds;
mod sequential;
mod sign;
mod small_sample;
mod wilson;

pub use bootstrap::{RESAMPLES, bootstrap_mean, bootstrap_ratio};
pub(crate) use bootstrap::{percentile_interval, stream};
pub use crossed::crossed_mean;
pub use interval::{Interval, Side};
pub use paired::{paired_difference, same_facts, subject};
pub(crate) use seeds::t_quantile;
pub use seeds::{mean_over_seeds, paired_over_seeds};
pub use sequential::{
    confidence_sequence, largest_ln_e_value, ln_e_value, rejected_together, seeds_needed,
};
pub(crate) use wilson::Z;
pub use wilson::wilson;
