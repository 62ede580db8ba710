//! Facts of one relation as pairs of subject and value.

use std::collections::HashMap;

/// (subject, value) of one relation, before the subset is taken.
pub(super) type Pairs = Vec<(String, String)>;

/// Drops subjects with two values (a town name in two countries, say): a question about them has no single answer.
/// Sorted, each pair once.
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
    // The map's order is random.
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_two_values_is_dropped_and_a_repeated_fact_is_not() {
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
