//! Suggestions for unknown names.

use crate::printable::MAX_QUOTED;

/// Bytes of the list of known names in a message.
const MAX_LISTED: usize = 240;

/// The remedy for the unknown name `written`: the nearest of the `known` names, if its edit distance is small, and the
/// list of all.
pub fn suggest(written: &str, known: &[&str]) -> String {
    // The time of a comparison is the product of both lengths.
    let is_short = |word: &&&str| word.len().max(written.len()) <= MAX_QUOTED;
    let near = known
        .iter()
        .filter(is_short)
        .map(|word| (strsim::damerau_levenshtein(word, written), word))
        .min()
        .filter(|(distance, word)| *distance <= 1.max(word.len().min(written.len()) / 3));
    let hint = near.map_or(String::new(), |(_, word)| {
        format!("did you mean `{word}`? ")
    });
    if known.is_empty() {
        return format!("{hint}remove it");
    }
    let mut names = String::new();
    for (at, name) in known.iter().enumerate() {
        if at > 0 {
            names.push_str(", ");
        }
        if names.len() + name.len() > MAX_LISTED {
            return format!("{hint}choose from: {names}...");
        }
        names.push_str(name);
    }
    format!("{hint}choose from: {names}")
}
