//! The command line: its arguments, one file for each command, and progress on the terminal.

pub mod arguments;
pub mod commands;
pub mod log;
pub mod progress;
