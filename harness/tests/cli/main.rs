//! The binary as a user meets it.

mod bad_input;
mod closed_pipe;
mod comparing;
mod interrupting;
mod planning;
mod probing;
mod scratch;
mod sweeping;
