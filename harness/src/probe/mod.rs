//! Probes: each part of a decoder alone at its true shape, timed on this device, and whole models derived from the parts.
//!
//! | module | what |
//! |---|---|
//! | [`grid`] | which parts a sweep needs measured, and how far tables grow |
//! | [`phase`], [`traffic`], [`need`] | what a pass is, the bytes it moves, the memory it takes; by formula |
//! | [`memory`] | the memory there is |
//! | [`peaks`] | what the device can do at most |
//! | `part_timer`, [`repeats`] | one part, built and timed |
//! | [`speeds`] | how fast whole models train: as stated, probed, measured or assumed |
//! | [`session`] | the loop over cells, and what is left, skipped or measured |
//! | [`row`], [`derived`] | what becomes rows |

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
