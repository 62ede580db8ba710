//! Messages on standard error.
//!
//! Nothing else of this program writes to it. A log is not worth a run: a reader that has gone (`2>&1 | head`) or a full
//! disk (`2> log`) must not end training, so that failures to write are ignored. `eprintln!` panics instead.

use std::fmt::Display;
use std::io::Write;

use experiment::printable;

/// Writes `text` and a line feed to standard error, with control characters as escapes. Failures are ignored.
pub fn note(text: impl Display) {
    let line = format!("{text}\n");
    // One write, so that lines of several threads are not mixed.
    let _ = std::io::stderr().write_all(printable::lines(&line).as_bytes());
}
