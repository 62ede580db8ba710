//! Suggestions for unknown names.

/// The remedy for the unknown name `written`: the nearest of the `known` names, if its edit distance is small, and the
/// list of all.
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
