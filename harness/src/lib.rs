//! Trains, evaluates and measures the runs of a plan, and records them as rows.
//!
//! | module | contents |
//! |---|---|
//! | [`run`] | execution of a sweep: the loop over runs, one run, its identity and progress |
//! | [`train`] | training of one decoder from its configuration |
//! | [`checkpoint`] | saved weights |
//! | [`evaluate`] | evaluation of a trained decoder on the suites, and its scores |
//! | [`record`] | rows, their provenance, and which recorded runs a plan selects |
//! | [`probe`] | timing of single parts of decoders at the shapes of the sweep |
//! | [`ranks`] | several processes that train one model |
//! | [`cluster`] | runs as jobs of Slurm and Kubernetes |
//! | [`process`] | memory and standard streams of the process |
//! | [`error`] | errors that end a command early |
//!
//! The crate `experiment` has what is computed from the configuration only: sweep files, plans, matching, estimates.
#![recursion_limit = "256"]

pub mod checkpoint;
pub mod cluster;
pub mod error;
pub mod evaluate;
pub mod probe;
pub mod process;
pub mod ranks;
pub mod record;
pub mod run;
pub mod train;
