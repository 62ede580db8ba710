//! What a rank sends in one step, by formula.
//!
//! ```text
//! a rank of n sends in a step, for t tokens of its own, bytes
//! dense gradients   4 P (n - 1) / n                    reduce-scatter of P dense parameters; with `zero_stage` 2 for each part in sequence
//! dense values      4 P (n - 1) / n                    all-gather of the updated ones
//! lookups           (n - 1) t (12 R + 8 W / n)         R rows read and W values of lookups of a token: ids of 4 bytes and weights
//!                                                      gathered and the weights' gradient scattered, columns exchanged for
//!                                                      tokens and back
//! ```
//!
//! Where the weights of a lookup have no gradient (Engram), 4 bytes of the 12 are not sent; ids of a table of 2^31 rows or more have 8
//! bytes. Not in it are a few hundred bytes for losses, norms and what the ranks agree on. With `recompute` the layers' lookups are exchanged
//! once more, except their backward pass; an upper bound, since the last segment is not evaluated again.

use architectures::Cost;

use crate::training::{Division, Recompute, ZeroStage};

/// Bytes of an f32.
const VALUE: f64 = 4.0;
/// Bytes of a row's number.
const ID: f64 = 4.0;
/// Bytes of dense parameters that are exchanged at a time, and one parameter that has more.
pub const BUCKET_BYTES: u64 = 64 << 20;
/// Exchanges of a step beside those of parameters and lookups: statistics and what the ranks agree on, two each, and one of losses and norm.
const OTHER_EXCHANGES: f64 = 5.0;
/// Exchanges in which ranks with split tables agree on a forward pass.
const AGREEMENT: f64 = 2.0;
/// Exchanges of a lookup: ids, weights and columns forward, columns and weights backward.
const FORWARD_OF_LOOKUP: f64 = 3.0;
const BACKWARD_OF_LOOKUP: f64 = 2.0;

/// A model that ranks train, and how they divide its batches.
#[derive(Clone, Copy, Debug)]
pub struct Exchanging<'a> {
    /// Cost of one token.
    pub cost: &'a Cost,
    /// Number of layers.
    pub layers: usize,
    /// Of the whole batch, or of the part of one rank.
    pub division: Division,
}

/// What a rank sends in one step.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StepExchanges {
    /// Number of ranks.
    pub ranks: f64,
    /// Bytes that a rank sends to the others together.
    pub bytes: f64,
    /// Number of exchanges.
    pub exchanges: f64,
}

impl Exchanging<'_> {
    /// With the division of one of `ranks` ranks, for that of the whole batch.
    #[must_use]
    pub fn on_ranks(self, ranks: usize) -> Self {
        let division = self.division.on_ranks(ranks);
        Self { division, ..self }
    }

    /// The exchanges of a rank in a step of `tokens` tokens on all ranks.
    pub fn step(&self, tokens: u64) -> StepExchanges {
        let (model, division) = (self.cost, self.division);
        let n = division.ranks as f64;
        if division.ranks == 1 {
            return StepExchanges {
                ranks: n,
                bytes: 0.0,
                exchanges: 0.0,
            };
        }
        let evaluated = match division.recompute {
            Recompute::None => 1.0,
            Recompute::Every(_) => 2.0,
        };
        let dense = VALUE * model.params_dense as f64;
        let buckets = (dense / BUCKET_BYTES as f64).ceil();
        let [reduced, of_each] = self.gradients();
        let (rows, values) = (model.rows_read as f64, model.lookup_values as f64);
        let others = (n - 1.0) * tokens as f64 / n;
        let forward = others * ((ID + VALUE) * rows + VALUE * values / n);
        let backward = others * (VALUE * rows + VALUE * values / n);
        let of_lookup = evaluated * FORWARD_OF_LOOKUP + BACKWARD_OF_LOOKUP;
        let of_part = match model.lookups {
            0 => 0.0,
            lookups => evaluated * AGREEMENT + lookups as f64 * of_lookup,
        };
        // Parts that look up in split tables are computed one after the other.
        let parts = (division.accumulate * division.micro_batches) as f64;
        StepExchanges {
            ranks: n,
            bytes: (reduced + 1.0) * dense * (n - 1.0) / n + evaluated * forward + backward,
            exchanges: reduced * of_each.max(buckets) + buckets + parts * of_part + OTHER_EXCHANGES,
        }
    }

    /// How often in a step the dense gradients are exchanged, and by how many exchanges at least.
    fn gradients(&self) -> [f64; 2] {
        let division = self.division;
        let in_parallel = division.micro_batches > 1 && self.cost.lookups == 0;
        match (division.zero_stage, division.recompute) {
            (ZeroStage::Moments, _) => [1.0, 1.0],
            (ZeroStage::Gradients, Recompute::Every(_)) if !in_parallel => {
                let of_segment = division.recompute.segment_layers(self.layers).max(1);
                let segments = self.layers.div_ceil(of_segment) + 2;
                let parts = division.accumulate * division.micro_batches;
                [parts as f64, segments as f64]
            }
            (ZeroStage::Gradients, _) => [division.accumulate as f64, 1.0],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::MODEL;
    use super::*;

    fn step(accumulate: usize, recompute: Recompute, zero_stage: ZeroStage) -> StepExchanges {
        let model = Exchanging {
            cost: &MODEL,
            layers: 12,
            division: Division {
                accumulate,
                recompute,
                zero_stage,
                ..Division::WHOLE
            },
        };
        let alone = model.step(8192);
        assert_eq!((alone.bytes, alone.exchanges), (0.0, 0.0));
        model.on_ranks(4).step(8192)
    }

    #[test]
    fn bytes_and_exchanges_are_those_of_the_formula() {
        let (stored, again) = (Recompute::None, Recompute::Every(1));
        let (moments, gradients) = (ZeroStage::Moments, ZeroStage::Gradients);
        let dense = 4e8 * 3.0 / 4.0;
        let lookups = 3.0 * 2048.0 * (12.0 * 96.0 + 8.0 * 2304.0 / 4.0);
        let whole = step(1, stored, moments);
        assert_eq!(whole.bytes, 2.0 * dense + lookups);
        assert_eq!(whole.exchanges, 2.0 * 6.0 + 17.0 + 5.0);
        // Two parts on each rank.
        let parts = step(8, stored, moments);
        assert_eq!(parts.bytes, whole.bytes);
        assert_eq!(parts.exchanges, 2.0 * 6.0 + 2.0 * 17.0 + 5.0);
        let forward = 3.0 * 2048.0 * (8.0 * 96.0 + 2304.0);
        assert_eq!(step(8, again, moments).bytes - whole.bytes, forward);
        let divided = step(8, stored, gradients);
        assert_eq!(divided.bytes - whole.bytes, dense);
        assert_eq!(divided.exchanges, 3.0 * 6.0 + 2.0 * 17.0 + 5.0);
        // In each part embedding, twelve layers and head.
        let by_segment = step(8, again, gradients);
        assert_eq!(by_segment.bytes - whole.bytes, dense + forward);
        assert_eq!(by_segment.exchanges, 2.0 * 14.0 + 6.0 + 2.0 * 28.0 + 5.0);
    }
}
