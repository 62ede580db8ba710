//! Everything that the commands print.
//!
//! Results go to standard output. If its reader has closed it, as `head` does, the command ends without a message, and
//! any other failure, such as a full disk, is an error: see [`Error::ClosedOutput`] and [`Error::Output`]. Commands print
//! after they have written their files. Messages go to standard error by [`note`], which ignores failures.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use experiment::printable;
use harness::error::Error;
pub use harness::process::standard_error::note;

/// Prints `text` and a line feed to standard output, with control characters as escapes: labels and recorded reasons may
/// contain any text.
///
/// # Errors
/// If standard output cannot be written.
pub fn print(text: impl Display) -> Result<(), Error> {
    let line = format!("{text}\n");
    print_exact(printable::lines(&line).as_bytes())
}

/// Writes `bytes` to standard output as they are.
///
/// # Errors
/// If standard output cannot be written.
pub fn print_exact(bytes: &[u8]) -> Result<(), Error> {
    let mut out = io::stdout().lock();
    let written = out.write_all(bytes).and_then(|()| out.flush());
    written.map_err(output_error)
}

/// The error of a write to standard output that failed.
pub fn output_error(error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::BrokenPipe => Error::ClosedOutput,
        _ => Error::Output(error),
    }
}
