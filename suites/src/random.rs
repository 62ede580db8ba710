//! Randomness keyed by (seed, stream, step).
//!
//! Every draw gets a generator of its own, derived from what is drawn and not from what was drawn before it, so
//! building things in another order, or more of them, changes nothing.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The generator of one draw. Streams are named for what they decide, for example `biographies.names`.
pub fn keyed(seed: u64, stream: &str, step: u64) -> ChaCha8Rng {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&seed.to_le_bytes());
    hasher.update(&step.to_le_bytes());
    // The name comes last: it alone has no fixed length, so no two keys can run into each other.
    hasher.update(stream.as_bytes());
    ChaCha8Rng::from_seed(*hasher.finalize().as_bytes())
}

/// `0..n` in an order fixed by the key.
pub fn permutation(n: usize, seed: u64, stream: &str, step: u64) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    order.shuffle(&mut keyed(seed, stream, step));
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn every_part_of_the_key_matters_and_nothing_else_does() {
        let draw = |seed, stream, step| keyed(seed, stream, step).random::<u64>();
        let here = draw(1, "a", 2);
        assert_eq!(here, draw(1, "a", 2));
        for other in [draw(2, "a", 2), draw(1, "b", 2), draw(1, "a", 3)] {
            assert_ne!(here, other);
        }
    }

    #[test]
    fn a_permutation_holds_every_index_once() {
        let mut order = permutation(100, 7, "x", 0);
        assert_ne!(order, (0..100).collect::<Vec<_>>());
        order.sort_unstable();
        assert_eq!(order, (0..100).collect::<Vec<_>>());
    }
}
