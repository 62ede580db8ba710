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
    let text = printable::lines(&line);
    match console::colors_enabled() && console::Term::stdout().is_term() {
        true => print_exact(styled(&text).as_bytes()),
        false => print_exact(text.as_bytes()),
    }
}

/// Columns of the terminal that standard output is; none if it is a file or a pipe.
pub fn terminal_width() -> Option<usize> {
    let (_, columns) = console::Term::stdout().size_checked()?;
    Some(columns.into())
}

/// Words that a cell of a table may consist of, with their colours.
const COLOURED: [(&str, console::Color); 7] = [
    ("finished", console::Color::Green),
    ("failed", console::Color::Red),
    ("running", console::Color::Cyan),
    ("stopped", console::Color::Yellow),
    ("better than dense", console::Color::Green),
    ("worse than dense", console::Color::Red),
    ("at the edge", console::Color::Yellow),
];

/// `text` with headers of tables in bold, and states and verdicts in colour.
fn styled(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &str| line.starts_with('─');
    let mut styled = String::with_capacity(text.len());
    for (place, line) in lines.iter().enumerate() {
        let rest = lines[place + 1..]
            .iter()
            .take_while(|line| !line.trim().is_empty());
        // The lines of a header are those before its rule.
        let is_header = !is_rule(line)
            && rest.clone().any(|line| is_rule(line))
            && !lines[..place]
                .iter()
                .rev()
                .take_while(|line| !line.trim().is_empty())
                .any(|line| is_rule(line));
        match is_header {
            true => styled.push_str(&console::style(line).force_styling(true).bold().to_string()),
            false => styled.push_str(&coloured(line)),
        }
        styled.push('\n');
    }
    styled
}

/// `line` with the words of [`COLOURED`] that are a whole cell in colour.
fn coloured(line: &str) -> String {
    let mut line = line.to_owned();
    for (word, colour) in COLOURED {
        let Some(at) = line.find(word) else { continue };
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        let is_cell = (before.is_empty() || before.ends_with("  "))
            && (after.trim().is_empty() || after.starts_with("  "));
        if is_cell {
            let word = console::style(word).force_styling(true).fg(colour);
            line = format!("{before}{word}{after}");
        }
    }
    line
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_and_whole_cells_are_styled_and_words_in_sentences_are_not() {
        let text = "size  state     \n────────────────\ns     finished  ok\nm     failed    it failed here\n\n2 finished runs\n";
        let found = styled(text);
        assert!(found.starts_with("\u{1b}[1msize  state"));
        assert!(found.contains("\u{1b}[32mfinished\u{1b}[0m  ok"));
        assert!(found.contains("\u{1b}[31mfailed\u{1b}[0m    it failed here"));
        assert!(found.ends_with("2 finished runs\n"));
        assert_eq!(console::strip_ansi_codes(&found), text);
    }
}
