//! `isoflop completions` and `isoflop man`: descriptions of the command line for a shell and for `man`.

use clap::CommandFactory;
use clap_complete::Shell;
use harness::error::Error;
use harness::run::conclusion::Conclusion;

use crate::cli::arguments::Arguments;
use crate::cli::output::{output_error, print_exact};

/// Prints the completions of a shell.
///
/// # Errors
/// If standard output cannot be written.
pub fn completions(shell: Shell) -> Result<Conclusion, Error> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "isoflop", &mut script);
    print_exact(&script)?;
    Ok(Conclusion::Complete)
}

/// Prints the manual page.
///
/// # Errors
/// If standard output cannot be written.
pub fn man() -> Result<Conclusion, Error> {
    let mut page = Vec::new();
    let command = Arguments::command();
    let man = clap_mangen::Man::new(command);
    man.render(&mut page).map_err(output_error)?;
    print_exact(&page)?;
    Ok(Conclusion::Complete)
}
