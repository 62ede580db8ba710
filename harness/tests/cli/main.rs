//! The binary as a user meets it.

mod bad_input;
mod interrupting;
mod planning;
mod probing;
mod scratch;
mod sweeping;
