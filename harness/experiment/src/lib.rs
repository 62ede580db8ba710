//! What follows from configuration alone: a sweep file becomes a plan, and a plan its costs and estimates.
//!
//! | module | contents |
//! |---|---|
//! | [`sweep_file`] | a sweep file, read and checked once |
//! | [`training`] | optimizers, learning-rate schedule and the order of the data, as configured |
//! | [`budget`] | training steps from a budget of FLOPs or tokens |
//! | [`matching`] | the solver: values of a block's free knobs at which it costs what a reference costs |
//! | [`plan`] | every run of a sweep |
//! | [`memory_need`], [`devices`], [`speed`], [`estimate`] | memory, number of devices, time and price of a run |
//! | [`units`] | bytes, rates, times and prices as people write them |
//! | [`quantity`] | numbers as people read them |
//!
//! The crate opens no device, reads no clock and no file but the sweep file.

pub mod budget;
pub mod devices;
pub mod estimate;
pub mod matching;
pub mod memory_need;
pub mod plan;
pub mod quantity;
pub mod speed;
pub mod sweep_file;
pub mod training;
pub mod units;

/// A sweep file for tests: two sizes, two blocks.
#[doc(hidden)]
pub mod testing;
