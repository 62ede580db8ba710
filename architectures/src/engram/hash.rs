//! Addresses of n-grams in the packed table.

use rand::Rng;
use random::stream;

use crate::context::Tokens;

/// Multiplicative hashes of suffix n-grams, modulo a prime per head.
#[derive(Clone, Debug)]
pub struct Hash {
    /// One per token of the longest n-gram, odd; the present token first.
    pub multipliers: Vec<i64>,
    /// Rows of each head: by order, within it by head.
    pub primes: Vec<usize>,
    /// Heads of each order.
    pub heads_per_order: usize,
    pub pad: i64,
}

/// The multipliers of n-grams of up to `max_order` tokens, drawn by `name`.
pub fn multipliers(name: &str, max_order: usize) -> Vec<i64> {
    let mut rng = stream(0, name, 0);
    // Products with token ids below 2^31 stay below 2^63.
    let multipliers = (0..max_order).map(|_| 2 * rng.random_range(0..1i64 << 31) + 1);
    multipliers.collect()
}

impl Hash {
    /// Hashes of n-grams of up to `max_order` tokens, with multipliers drawn by `name`.
    pub fn new(
        name: &str,
        max_order: usize,
        heads_per_order: usize,
        primes: Vec<usize>,
        pad: i64,
    ) -> Self {
        Self {
            multipliers: multipliers(name, max_order),
            primes,
            heads_per_order,
            pad,
        }
    }

    /// Row and hash of every n-gram that ends in the last `seq` tokens of a sequence, `[batch, seq, heads]`.
    pub fn reads(&self, tokens: &Tokens, [batch, seq]: [usize; 2]) -> Vec<(i64, i64)> {
        let whole = tokens.past() + seq;
        let ids = tokens.on_host();
        let mut reads = Vec::with_capacity(batch * seq * self.primes.len());
        for sequence in ids.chunks_exact(whole) {
            for position in tokens.past()..whole {
                self.reads_at(sequence, position, &mut reads);
            }
        }
        reads
    }

    /// Appends those of one position of a sequence.
    pub fn reads_at(&self, sequence: &[i64], position: usize, reads: &mut Vec<(i64, i64)>) {
        let token = |back: usize| {
            position
                .checked_sub(back)
                .map_or(self.pad, |at| sequence[at])
        };
        let mut mix = token(0).wrapping_mul(self.multipliers[0]);
        let mut offset = 0;
        let heads_of_orders = self.primes.chunks(self.heads_per_order);
        for (back, (multiplier, primes)) in self.multipliers[1..]
            .iter()
            .zip(heads_of_orders)
            .enumerate()
        {
            mix ^= token(back + 1).wrapping_mul(*multiplier);
            for &prime in primes {
                reads.push((offset + mix.rem_euclid(prime as i64), mix));
                offset += prime as i64;
            }
        }
    }
}
