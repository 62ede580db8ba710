//! The `isoflop` program: plans, runs and reports sweeps.

mod cli;

use std::process::ExitCode;

use clap::Parser;

use cli::arguments::{Arguments, Command};
use cli::{commands, log};
use harness::process::broken_pipe::end_on_broken_pipe;

fn main() -> ExitCode {
    harness::process::allocator::keep_freed_memory();
    log::start();
    let command = Arguments::parse().command;
    // `sweep`, `eval`, `rerun` and `probe` start other programs or write rows first; they call this before their final output.
    if !matches!(
        command,
        Command::Sweep(_) | Command::Eval(_) | Command::Rerun(_) | Command::Probe(_)
    ) {
        end_on_broken_pipe();
    }
    let done = match command {
        Command::Plan(options) => commands::plan::plan(&options),
        Command::Match(options) => commands::match_blocks::match_blocks(&options),
        Command::Sweep(options) => commands::sweep::sweep(&options),
        Command::Status(options) => commands::status::status(&options),
        Command::Report(options) => commands::report::report(&options),
        Command::Compare(options) => commands::compare::compare(&options),
        Command::Eval(options) => commands::eval::eval(&options),
        Command::Rerun(options) => commands::rerun::rerun(&options),
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
