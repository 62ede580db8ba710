//! Operations on strings of ASCII letters.

use super::operation::Operation;
use super::operation::RustFunction::{TextToInteger, TextToText};

/// The operations, in a fixed order.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "upper", phrases: ["make upper case", "use capitals"], python: "x.upper()", rust: TextToText(|x| x.to_ascii_uppercase()) },
    Operation { name: "mirror", phrases: ["reverse", "read backwards"], python: "x[::-1]", rust: TextToText(|x| x.chars().rev().collect()) },
    Operation { name: "repeat", phrases: ["repeat", "write twice"], python: "x + x", rust: TextToText(|x| x.repeat(2)) },
    Operation { name: "behead", phrases: ["drop the first letter", "skip the first letter"], python: "x[1:]", rust: TextToText(|x| x.get(1..).unwrap_or_default().to_owned()) },
    Operation { name: "curtail", phrases: ["drop the last letter", "skip the last letter"], python: "x[:-1]", rust: TextToText(|x| x[..x.len().saturating_sub(1)].to_owned()) },
    Operation { name: "letters", phrases: ["sort the letters", "put the letters in order"], python: "''.join(sorted(x))", rust: TextToText(letters) },
    Operation { name: "consonants", phrases: ["drop the vowels", "remove the vowels"], python: "''.join(c for c in x if c not in 'aeiou')", rust: TextToText(|x| x.replace(VOWELS, "")) },
    Operation { name: "skip", phrases: ["keep every second letter", "take every other letter"], python: "x[::2]", rust: TextToText(|x| x.chars().step_by(2).collect()) },
    Operation { name: "length", phrases: ["count the letters", "give the length"], python: "len(x)", rust: TextToInteger(|x| x.len() as i64) },
    Operation { name: "vowels", phrases: ["count the vowels", "give how many vowels"], python: "sum(c in 'aeiou' for c in x)", rust: TextToInteger(|x| x.matches(VOWELS).count() as i64) },
];

/// Lower-case vowels, as in the Python expressions.
const VOWELS: [char; 5] = ['a', 'e', 'i', 'o', 'u'];

fn letters(x: &str) -> String {
    let mut letters: Vec<char> = x.chars().collect();
    letters.sort_unstable();
    letters.into_iter().collect()
}
