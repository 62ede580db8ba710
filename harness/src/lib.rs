//! Trains and measures: a sweep file becomes a plan, a plan becomes runs, a run becomes rows.
//!
//! | module | what |
//! |---|---|
//! | [`sweep_file`] | the file, read and checked once |
//! | [`plan`], [`budget`], [`memory_need`], [`devices`], [`speed`] | what will be run, for how long, in how much memory, on how many devices, in what time |
//! | [`estimate`] | all of that for one run |
//! | [`units`] | bytes, rates and prices as people write them |
//! | [`matching`] | free knobs of a block, turned until it costs what a reference costs |
//! | [`identity`] | what a run is, and its name |
//! | [`train`], [`language_model`] | training, and the trained decoder as the suites see it |
//! | [`sweep`], [`attempt`], [`conclusion`] | the loop over runs, one run, and how it ended |
//! | [`probe`] | parts of decoders alone, timed at their true shapes |
//! | [`step_recorder`], [`run_row`], [`scores`] | what becomes rows |
//! | [`selection`], [`choice`], [`folders`], [`weights`] | what is on the disk |
//! | [`provenance`], [`peak_memory`], [`clock`] | circumstances |
//! | [`progress`], [`interrupt`] | the person at the terminal |

#![recursion_limit = "256"]

pub mod allocator;
pub mod attempt;
pub mod budget;
pub mod choice;
pub mod clock;
pub mod conclusion;
pub mod devices;
pub mod error;
pub mod estimate;
pub mod folders;
pub mod identity;
pub mod interrupt;
pub mod language_model;
pub mod matching;
pub mod memory_need;
pub mod peak_memory;
pub mod plan;
pub mod probe;
pub mod progress;
pub mod provenance;
pub mod report_file;
pub mod run_row;
pub mod scores;
pub mod selection;
pub mod speed;
pub mod step_recorder;
pub mod sweep;
pub mod sweep_file;
#[cfg(test)]
mod testing;
pub mod train;
pub mod units;
pub mod weights;
