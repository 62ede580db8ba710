//! Which of the known facts are used.

use std::collections::HashMap;

use super::{Pairs, RELATIONS, facts_of};
use crate::facts::Fact;
use crate::random::permutation;

/// Drops subjects with two values (a town name in two countries, say): such a question has no one answer.
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

/// `total` facts, as evenly over the relations as their sizes allow, chosen by the seed.
pub(super) fn balanced(known: [Pairs; RELATIONS], total: usize, seed: u64) -> Vec<Fact> {
    let shares = shares(&known.each_ref().map(Vec::len), total);
    let mut facts = Vec::with_capacity(total);
    for (relation, (pairs, share)) in known.into_iter().zip(shares).enumerate() {
        let order = permutation(pairs.len(), seed, "world.subset", relation as u64);
        let chosen = order
            .into_iter()
            .take(share)
            .map(|place| pairs[place].clone());
        facts.extend(facts_of(relation, chosen));
    }
    facts
}

/// Equal shares, except that a relation gives no more than it has and the others make up for it.
fn shares(sizes: &[usize], total: usize) -> Vec<usize> {
    let mut smallest_first: Vec<usize> = (0..sizes.len()).collect();
    smallest_first.sort_by_key(|&relation| (sizes[relation], relation));
    let mut shares = vec![0; sizes.len()];
    let mut left = total;
    for (done, relation) in smallest_first.into_iter().enumerate() {
        shares[relation] = sizes[relation].min(left / (sizes.len() - done));
        left -= shares[relation];
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_until_a_relation_runs_out() {
        assert_eq!(shares(&[10, 100, 3], 30), [10, 17, 3]);
        assert_eq!(shares(&[10, 100, 50], 32), [10, 11, 11]);
        assert_eq!(shares(&[1, 2], 100), [1, 2]);
    }

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
