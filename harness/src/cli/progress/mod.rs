//! Progress on standard error: bars on a terminal, lines otherwise, failures only with `--quiet`.

mod bars;
mod data;
pub mod items;
mod lines;

use std::io::IsTerminal;

use harness::run::progress::{Progress, Quiet};

use bars::Bars;
use lines::Lines;

/// The display for standard error.
pub fn display_for(quiet: bool) -> Box<dyn Progress> {
    if quiet {
        Box::new(Quiet)
    } else if std::io::stderr().is_terminal() {
        Box::new(Bars::new())
    } else {
        Box::new(Lines::default())
    }
}
