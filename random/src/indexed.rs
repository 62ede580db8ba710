//! A random permutation of which each element is computed by itself.

use rand::RngCore;

use crate::stream;

/// Rounds of the network. Four give a pseudorandom permutation where the round functions are (Luby and Rackoff 1988); the
/// function here is a mixing function and no cipher, so there are a few more.
const ROUNDS: usize = 8;

/// A random permutation of `0..n` that needs no list of its elements: a Feistel network over the least power of four that is
/// at least `n`, applied until the result is below `n` (cycle walking, Black and Rogaway 2002).
///
/// ```
/// let order = random::IndexedPermutation::new(5, 7, "documents", 0);
/// let mut all: Vec<u64> = (0..5).map(|place| order.at(place)).collect();
/// all.sort_unstable();
/// assert_eq!(all, [0, 1, 2, 3, 4]);
/// ```
#[derive(Debug, Clone)]
pub struct IndexedPermutation {
    n: u64,
    half_bits: u32,
    keys: [u64; ROUNDS],
}

impl IndexedPermutation {
    /// The permutation of `0..n` of a key, as in [`stream`].
    pub fn new(n: u64, seed: u64, name: &str, step: u64) -> Self {
        let bits = u64::BITS - n.saturating_sub(1).leading_zeros();
        let mut generator = stream(seed, name, step);
        Self {
            n,
            half_bits: bits.div_ceil(2).max(1),
            keys: std::array::from_fn(|_| generator.next_u64()),
        }
    }

    /// The element at `place`, which is taken modulo the number of elements; 0 if there are none.
    pub fn at(&self, place: u64) -> u64 {
        if self.n == 0 {
            return 0;
        }
        let mut value = place % self.n;
        loop {
            value = self.network(value);
            if value < self.n {
                return value;
            }
        }
    }

    fn network(&self, value: u64) -> u64 {
        let mask = (1_u64 << self.half_bits) - 1;
        let (mut left, mut right) = (value >> self.half_bits, value & mask);
        for key in self.keys {
            (left, right) = (right, left ^ (mix(right ^ key) & mask));
        }
        left << self.half_bits | right
    }
}

/// The finaliser of SplitMix64 (Steele, Lea and Flood 2014).
fn mix(value: u64) -> u64 {
    let value = (value ^ value >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ value >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ value >> 31
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_element_occurs_once_and_the_order_depends_on_every_part_of_the_key() {
        for n in [1, 2, 3, 4, 5, 16, 17, 100, 1000, 4097] {
            let all = |seed, name, step| -> Vec<u64> {
                let order = IndexedPermutation::new(n, seed, name, step);
                (0..n).map(|place| order.at(place)).collect()
            };
            let order = all(1, "a", 2);
            if n >= 100 {
                for other in [all(2, "a", 2), all(1, "b", 2), all(1, "a", 3)] {
                    assert_ne!(order, other);
                }
            }
            let mut sorted = order;
            sorted.sort_unstable();
            assert_eq!(sorted, (0..n).collect::<Vec<_>>());
        }
    }

    #[test]
    fn places_and_elements_are_not_correlated() {
        const N: u64 = 10_000;
        let middle = (N - 1) as f64 / 2.0;
        let order = IndexedPermutation::new(N, 3, "x", 0);
        let centred = |value: u64| value as f64 - middle;
        let product: f64 = (0..N)
            .map(|place| centred(place) * centred(order.at(place)))
            .sum();
        let variance: f64 = (0..N).map(|place| centred(place).powi(2)).sum();
        // Its standard deviation is 1 / sqrt(N) = 0.01.
        assert!((product / variance).abs() < 0.04, "{}", product / variance);
        let following = (1..N).filter(|&place| order.at(place) == order.at(place - 1) + 1);
        assert!(following.count() < 10);
    }

    #[test]
    fn the_largest_domains_do_not_overflow() {
        for n in [u64::MAX, 1 << 63, (1 << 62) + 1] {
            assert!(IndexedPermutation::new(n, 0, "x", 0).at(n - 1) < n);
        }
        assert_eq!(IndexedPermutation::new(0, 0, "x", 0).at(5), 0);
    }
}
