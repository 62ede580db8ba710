//! Agreement of ranks on a forward pass, before lookups in tables whose columns are split over them.
//!
//! Lookups exchange tensors of lengths that follow from the pass. Ranks that differ in it would wait for each other without end, or
//! exchange values of different tokens.

use std::hash::{DefaultHasher, Hash, Hasher};

use collectives::Collectives;

use crate::host_copy;
use crate::pass::Pass;
use crate::token_ids::TokenIds;

/// What the ranks must agree on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Description {
    training: bool,
    shape: [usize; 2],
    /// Of the token ids; zero in training, where ranks have different tokens.
    hash: u64,
}

impl Description {
    /// The fields as integers of 64 bits.
    fn bytes(self) -> Vec<u8> {
        let [batch, seq] = self.shape.map(|len| len as u64);
        let fields = [u64::from(self.training), batch, seq, self.hash];
        fields.into_iter().flat_map(u64::to_le_bytes).collect()
    }
}

impl std::fmt::Display for Description {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ([batch, seq], hash) = (self.shape, self.hash);
        match self.training {
            true => write!(f, "trains on {batch} x {seq} tokens"),
            false => write!(f, "evaluates {batch} x {seq} tokens with hash {hash:016x}"),
        }
    }
}

/// Compares the pass of this rank for `tokens [batch, seq]` with those of the other ranks: its purpose, its shape and, unless it
/// trains, its tokens.
///
/// # Panics
///
/// If ranks differ.
pub fn check(ranks: &dyn Collectives, pass: &Pass, tokens: &TokenIds) {
    let hash = || {
        let mut hasher = DefaultHasher::new();
        let copied;
        let ids = match tokens.on_host() {
            Some(ids) => ids,
            None => {
                copied = host_copy::integers(tokens.on_device());
                &copied
            }
        };
        ids.iter().for_each(|id| id.hash(&mut hasher));
        hasher.finish()
    };
    let own = Description {
        training: pass.is_training(),
        shape: tokens.dims(),
        hash: if pass.is_training() { 0 } else { hash() },
    };
    let all = ranks.all_gather_bytes(&own.bytes());
    if let Some(other) = all.iter().position(|bytes| *bytes != own.bytes()) {
        let rank = ranks.rank();
        panic!(
            "rank {rank} {own} and rank {other} does not; with tables split over ranks, all must train on equally many tokens, or \
             evaluate the same"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;
    use collectives::thread_ranks;

    /// Whether the ranks agree if this is the pass and the tokens of each.
    fn agree(of: impl Fn(usize) -> (Pass, [i64; 2]) + Sync) -> bool {
        let run = || {
            thread_ranks(2, |ranks| {
                let (pass, tokens) = of(ranks.rank());
                let tokens = TokenIds::from_host(tokens.to_vec(), [1, 2], &Device::flex());
                check(ranks.as_ref(), &pass, &tokens);
            })
        };
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(run)).is_ok()
    }

    #[test]
    fn purpose_and_evaluated_tokens_are_the_same() {
        assert!(agree(|rank| (Pass::training(), [rank as i64, 2])));
        assert!(agree(|_| (Pass::evaluation(), [1, 2])));
        assert!(!agree(|rank| (Pass::evaluation(), [rank as i64, 2])));
        assert!(!agree(|rank| match rank {
            0 => (Pass::training(), [1, 2]),
            _ => (Pass::observation(), [1, 2]),
        }));
    }
}
