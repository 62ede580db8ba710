//! Facts of one relation, as pairs of subject and value.

use std::collections::HashMap;

/// Pairs of (subject, value) of one relation, before the subset is selected.
pub(super) type Pairs = Vec<(String, String)>;

/// The distinct pairs whose subject has one value only, sorted. Subjects with several values, such as the name of towns
/// in two countries, are removed, because a question about them has no unique answer.
pub(super) fn unambiguous(pairs: Pairs) -> Pairs {
    let mut values: HashMap<&str, Option<&str>> = HashMap::new();
    for (subject, value) in &pairs {
        values
            .entry(subject)
            .and_modify(|known| *known = known.filter(|known| known == value))
            .or_insert(Some(value));
    }
    let mut kept: Pairs = values
        .into_iter()
        .filter_map(|(subject, value)| Some((subject.to_owned(), value?.to_owned())))
        .collect();
    // The iteration order of the map is random.
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_with_two_values_are_removed_and_duplicate_pairs_are_not() {
        let pair = |subject: &str, value: &str| (subject.to_owned(), value.to_owned());
        let pairs = vec![
            pair("Paris", "France"),
            pair("Paris", "Texas"),
            pair("Oslo", "Norway"),
            pair("Oslo", "Norway"),
        ];
        assert_eq!(unambiguous(pairs), [pair("Oslo", "Norway")]);
    }
}
