//! From answers to intervals.
//!
//! Every function here is a pure function of its arguments: the resampling takes a seed and draws each resample
//! from its own ChaCha stream, so that neither the order of calls nor the number of threads changes a digit.
//!
//! | question | function | method |
//! |---|---|---|
//! | how often is one model right? | [`wilson`] | Wilson's score interval |
//! | the mean, or the ratio of totals, of what was measured | [`bootstrap_mean`], [`bootstrap_ratio`] | percentile bootstrap |
//! | the mean over seeds *and* items | [`crossed_mean`] | bootstrap with one seed, Student's t with several |
//! | does one block beat another on the same items? | [`paired_difference`] | the same, on differences; with one seed also a score interval and an exact sign test |
//! | a number that each seed has once, such as a loss | [`mean_over_seeds`] | Student's t |
//! | the same between two blocks on the same seeds | [`paired_over_seeds`] | Student's t, on differences |
//!
//! Intervals of fits are in [`fits`](crate::fits), those of gains in [`gains`](crate::gains); they resample by the same
//! streams. Nothing here corrects for looking at several blocks, sizes or suites at once.

mod bootstrap;
mod crossed;
mod interval;
mod paired;
mod score;
mod seeds;
mod sign;
mod small_sample;
mod wilson;

pub use bootstrap::{RESAMPLES, bootstrap_mean, bootstrap_ratio};
pub(crate) use bootstrap::{percentile_interval, stream};
pub use crossed::crossed_mean;
pub use interval::{Interval, Side};
pub use paired::{paired_difference, subject};
pub(crate) use seeds::t_quantile;
pub use seeds::{mean_over_seeds, paired_over_seeds};
pub(crate) use wilson::Z;
pub use wilson::wilson;
