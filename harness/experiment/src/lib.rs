//! Configuration of experiments: from a sweep file to a plan of runs, with their cost and estimates of their resources.
//!
//! | module | contents |
//! |---|---|
//! | [`sweep_file`] | sweep files, read and validated |
//! | [`training`] | configuration of optimizers, learning-rate schedule and data order |
//! | [`budget`] | number of training steps for a budget of FLOPs or tokens |
//! | [`matching`] | solver for a block's free knobs so that its cost equals that of a reference |
//! | [`tuning`] | the search of learning rates before the runs |
//! | [`plan`] | the list of all runs of a sweep |
//! | [`memory_need`], [`devices`], [`speed`], [`estimate`] | estimates of memory, number of devices, time and price of a run |
//! | [`units`] | parsing of bytes, rates, times and prices with units |
//! | [`quantity`] | formatting of numbers with units |
//! | [`printable`] | text of unknown origin in a form that is safe to print |
//!
//! The crate uses no device and no clock; the sweep file is the only file that it reads.

pub mod budget;
pub mod devices;
pub mod estimate;
pub mod fitting;
pub mod matching;
pub mod memory_need;
pub mod plan;
pub mod printable;
pub mod quantity;
pub mod speed;
pub mod sweep_file;
pub mod training;
pub mod tuning;
pub mod units;

/// A sweep file for tests.
#[doc(hidden)]
pub mod testing;
