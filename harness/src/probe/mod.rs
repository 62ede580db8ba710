//! Probes: timing of single parts of decoders at the shapes of a sweep, and estimates of whole models from the parts.
//!
//! | module | contents |
//! |---|---|
//! | [`grid`] | the parts of a sweep that are timed, and the sizes of their tables |
//! | [`phase`], [`traffic`], [`need`] | kinds of passes, and estimates of the bytes moved and the memory required |
//! | [`memory`] | free memory of the device |
//! | [`peaks`] | peak FLOP/s and bytes/s of the device |
//! | `part_timer`, [`repeats`] | timing of one part |
//! | [`speeds`] | training speed of whole models: stated, probed, measured or assumed |
//! | `measure_decision`, [`session`] | the loop over parts, which are measured, skipped or already recorded |
//! | [`row`], [`derived`] | rows of parts and of whole models |

pub mod derived;
pub mod grid;
mod measure_decision;
pub mod memory;
pub mod need;
mod part_timer;
pub mod peaks;
pub mod phase;
pub mod repeats;
pub mod row;
pub mod session;
pub mod speeds;
pub mod traffic;
