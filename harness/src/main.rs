//! The `isoflop` program: plans, runs and reports sweeps.

mod cli;

use std::process::ExitCode;

use clap::Parser;

use cli::arguments::{Arguments, Command};
use cli::output::{note, output_error};
use cli::{commands, log};
use experiment::printable;
use harness::error::Error;
use harness::process::broken_pipe::end_by_broken_pipe;
use harness::ranks::launch::check_started_alone;
use harness::run::conclusion::Conclusion;

/// Characters of the message of an error that are printed.
const MAX_MESSAGE: usize = 2000;

fn main() -> ExitCode {
    log::start();
    match Arguments::try_parse() {
        Ok(arguments) => ended(run(arguments.command)),
        // Help and version are results, which go to standard output; an invalid argument is a message.
        Err(error) => match error.print() {
            Err(failed) if !error.use_stderr() => ended(Err(output_error(failed))),
            _ => u8::try_from(error.exit_code()).unwrap_or(2).into(),
        },
    }
}

fn run(command: Command) -> Result<Conclusion, Error> {
    if !matches!(command, Command::Sweep(_) | Command::Tune(_)) {
        check_started_alone()?;
    }
    match command {
        Command::Plan(options) => commands::plan::plan(&options),
        Command::Data(options) => commands::data::data(&options),
        Command::Match(options) => commands::match_blocks::match_blocks(&options),
        Command::Sweep(options) => commands::sweep::sweep(&options),
        Command::Tune(options) => commands::tune::tune(&options),
        Command::Slurm(options) => commands::slurm::slurm(&options),
        Command::Status(options) => commands::status::status(&options),
        Command::Forecast(options) => commands::forecast::forecast(&options),
        Command::Report(options) => commands::report::report(&options),
        Command::Compare(options) => commands::compare::compare(&options),
        Command::Eval(options) => commands::eval::eval(&options),
        Command::Rerun(options) => commands::rerun::rerun(&options),
        Command::Probe(options) => commands::probe::probe(&options),
        Command::Tasks(options) => commands::tasks::tasks(&options),
        Command::Score(options) => commands::score::score(&options),
        Command::Export(options) => commands::export::export(&options),
        Command::Init { file } => commands::init::init(&file),
        Command::Completions { shell } => commands::describe::completions(shell),
        Command::Man => commands::describe::man(),
    }
}

/// The exit status of a command, after the message of its error.
fn ended(command: Result<Conclusion, Error>) -> ExitCode {
    match command {
        Ok(conclusion) => conclusion.exit_status().into(),
        Err(Error::ClosedOutput) => end_by_broken_pipe(),
        Err(error) => {
            let message = error.to_string();
            note(format_args!(
                "isoflop: {}",
                printable::shortened(&message, MAX_MESSAGE)
            ));
            error.exit_status().into()
        }
    }
}
