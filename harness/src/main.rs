//! `isoflop`: plan a sweep, run it, look at it.

mod cli;

use std::process::ExitCode;

use clap::Parser;

use cli::arguments::{Arguments, Command};
use cli::{commands, log};

fn main() -> ExitCode {
    harness::process::allocator::keep_freed_memory();
    log::start();
    let done = match Arguments::parse().command {
        Command::Plan(options) => commands::plan::plan(&options),
        Command::Match(options) => commands::match_blocks::match_blocks(&options),
        Command::Sweep(options) => commands::sweep::sweep(&options),
        Command::Status(options) => commands::status::status(&options),
        Command::Report(options) => commands::report::report(&options),
        Command::Compare(options) => commands::compare::compare(&options),
        Command::Eval(options) => commands::eval::eval(&options),
        Command::Probe(options) => commands::probe::probe(&options),
    };
    match done {
        Ok(conclusion) => conclusion.exit_status().into(),
        Err(error) => {
            eprintln!("isoflop: {error}");
            error.exit_status().into()
        }
    }
}
