//! Suggestions for words that are not known.

/// A remedy for the unknown word `written`: "did you mean" where a known word is near, and the list of `known` ones.
pub fn suggest(written: &str, known: &[&str]) -> String {
    let near = known
        .iter()
        .map(|word| (strsim::damerau_levenshtein(word, written), word))
        .min()
        .filter(|(distance, word)| *distance <= 1.max(word.len().min(written.len()) / 3));
    let hint = near.map_or(String::new(), |(_, word)| {
        format!("did you mean `{word}`? ")
    });
    if known.is_empty() {
        return format!("{hint}remove it");
    }
    format!("{hint}choose from: {}", known.join(", "))
}
