//! End-to-end tests of the `isoflop` binary.

mod bad_input;
mod closed_pipe;
mod comparing;
mod interrupting;
mod matching;
mod planning;
mod planning_export;
mod probing;
mod scratch;
mod sweeping;
mod unusual_input;
