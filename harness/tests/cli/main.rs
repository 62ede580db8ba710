//! The binary as a user meets it.

mod bad_input;
mod comparing;
mod interrupting;
mod planning;
mod scratch;
mod sweeping;
