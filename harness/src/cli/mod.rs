//! The command line: its arguments, one file for each command, what they print, and progress on the terminal.

pub mod arguments;
pub mod commands;
pub mod log;
pub mod output;
pub mod progress;
