//! Selection of the facts that a configuration uses.

use super::pairs::Pairs;
use super::relations::RELATIONS;
use crate::facts::Fact;
use random::permutation;

/// A random subset of `total` facts, divided over the relations as evenly as their sizes allow.
pub(super) fn balanced(known: [Pairs; RELATIONS], total: usize, seed: u64) -> Vec<Fact> {
    let shares = shares(&known.each_ref().map(Vec::len), total);
    let mut facts = Vec::with_capacity(total);
    for (relation, (pairs, share)) in known.into_iter().zip(shares).enumerate() {
        let order = permutation(pairs.len(), seed, "world.subset", relation as u64);
        facts.extend(order.into_iter().take(share).map(|index| {
            let (subject, value) = pairs[index].clone();
            Fact {
                relation,
                subject,
                value,
            }
        }));
    }
    facts
}

/// Number of facts per relation: equal shares, except that a relation contributes at most its size and larger ones
/// contribute the difference.
fn shares(sizes: &[usize], total: usize) -> Vec<usize> {
    let mut smallest_first: Vec<usize> = (0..sizes.len()).collect();
    smallest_first.sort_by_key(|&relation| (sizes[relation], relation));
    let mut shares = vec![0; sizes.len()];
    let mut remaining = total;
    for (done, relation) in smallest_first.into_iter().enumerate() {
        shares[relation] = sizes[relation].min(remaining / (sizes.len() - done));
        remaining -= shares[relation];
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_even_until_a_relation_is_exhausted() {
        assert_eq!(shares(&[10, 100, 3], 30), [10, 17, 3]);
        assert_eq!(shares(&[10, 100, 50], 32), [10, 11, 11]);
        assert_eq!(shares(&[1, 2], 100), [1, 2]);
    }
}
