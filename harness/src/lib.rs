//! Trains and measures: the runs of a plan become rows.
//!
//! | module | contents |
//! |---|---|
//! | [`run`] | a sweep as it runs: the loop over runs, one run, its identity and progress |
//! | [`train`] | a decoder from its configuration to its trained weights |
//! | [`checkpoint`] | weights on the disk |
//! | [`evaluate`] | a trained decoder on the suites, and its scores |
//! | [`record`] | rows, their provenance, and which recorded runs a plan selects |
//! | [`probe`] | parts of decoders alone, timed at their true shapes |
//! | [`process`] | memory of the process |
//! | [`error`] | errors that end a command early |
//!
//! What follows from configuration alone (sweep files, plans, matching, estimates) is the crate `experiment`.
#![recursion_limit = "256"]

pub mod checkpoint;
pub mod error;
pub mod evaluate;
pub mod probe;
pub mod process;
pub mod record;
pub mod run;
pub mod train;
