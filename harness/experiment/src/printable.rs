//! Text of unknown origin (labels, values of a file, reasons of failures) in a form that is safe to print.
//!
//! A terminal acts on control characters, and characters that change the direction of writing reorder a line; both are
//! written as escapes.

use std::borrow::Cow;

/// Number of characters of a value that a message quotes.
pub const MAX_QUOTED: usize = 80;

/// `text` with control and direction characters as escapes, such as `\u{1b}`; `\n` and `\t` too.
pub fn one_line(text: &str) -> Cow<'_, str> {
    escaped(text, |_| false)
}

/// The same, but line feeds are kept.
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c == '\n')
}

/// `text` on one line, with its middle left out if it has more than `max` characters.
pub fn shortened(text: &str, max: usize) -> String {
    // Escapes have at most ten characters: what is beyond is not needed, and text may be gigabytes.
    let length = text.chars().take(max + 1).count();
    if length <= max {
        let escaped = one_line(text);
        if escaped.chars().take(max + 1).count() <= max {
            return escaped.into_owned();
        }
    }
    let (head, tail) = (max * 3 / 4, max / 4);
    let start: String = text.chars().take(head).collect();
    let mut end: Vec<char> = text.chars().rev().take(tail).collect();
    end.reverse();
    let start: String = one_line(&start).chars().take(head).collect();
    let end: String = one_line(&end.iter().collect::<String>())
        .chars()
        .rev()
        .take(tail)
        .collect();
    let end: String = end.chars().rev().collect();
    format!("{start}...{end}")
}

/// Whether a terminal prints `c` as it is, at its place in the line.
pub fn is_printable(c: char) -> bool {
    let changes_direction = matches!(c, '\u{200e}' | '\u{200f}' | '\u{61c}')
        || ('\u{202a}'..='\u{202e}').contains(&c)
        || ('\u{2066}'..='\u{2069}').contains(&c);
    let breaks_line = matches!(c, '\u{2028}' | '\u{2029}');
    !(c.is_control() || changes_direction || breaks_line)
}

fn escaped(text: &str, keep: impl Fn(char) -> bool) -> Cow<'_, str> {
    let prints = |c: char| is_printable(c) || keep(c);
    if text.chars().all(prints) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match prints(c) {
            true => escaped.push(c),
            false => escaped.extend(c.escape_default()),
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_and_directions_are_not_printed_as_they_are() {
        assert_eq!(one_line("a\u{1b}[2J\n\0"), "a\\u{1b}[2J\\n\\u{0}");
        assert_eq!(lines("a\n\u{202e}b\r"), "a\n\\u{202e}b\\r");
        assert_eq!(one_line("größe 2⁶"), "größe 2⁶");
    }

    #[test]
    fn long_text_keeps_its_ends() {
        assert_eq!(shortened("abc", 80), "abc");
        let long = format!("{}{}", "a".repeat(1 << 20), "z".repeat(1 << 20));
        let short = shortened(&long, 80);
        assert_eq!(short, format!("{}...{}", "a".repeat(60), "z".repeat(20)));
        let escapes = shortened(&"\u{1b}".repeat(80), 80);
        assert!(
            escapes.chars().count() <= 83 && !escapes.contains('\u{1b}'),
            "{escapes}"
        );
    }
}
