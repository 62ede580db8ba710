//! Both extensions from stock operations alone: right on every backend, fast on none.
//!
//! These are the bodies that a backend gets for whatever it does not implement itself. They run in the number format of
//! their operands. What a formula would spread out over tokens and rows, or over queries and keys, is taken in pieces of
//! at most [`lookup::HELD`] or [`attention::HELD`] bytes. Nothing here adds rows through a scatter, which races on some
//! backends where two entries meet.

pub mod attention;
pub mod experts;
pub mod layer;
pub mod lookup;
pub mod row_adam;
mod value;

use value::Value;
