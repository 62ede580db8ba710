//! What the ranks agree on after each step, so that a signal to one of them stops all after the same step.

use collectives::Collectives;

/// What a rank wants after a step, or what all do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepEnd {
    /// Write a checkpoint and stop: a rank was interrupted.
    pub interrupted: bool,
    /// Write a checkpoint, which rank 0 decides.
    pub saves: bool,
    /// Leave the run without a checkpoint, which rank 0 decides.
    pub leaves: bool,
}

impl StepEnd {
    /// Whether a checkpoint is written.
    pub fn writes_checkpoint(self) -> bool {
        !self.leaves && (self.interrupted || self.saves)
    }

    /// Whether training stops after this step.
    pub fn stops(self) -> bool {
        self.leaves || self.interrupted
    }

    fn byte(self) -> u8 {
        u8::from(self.interrupted) | u8::from(self.saves) << 1 | u8::from(self.leaves) << 2
    }

    fn of_byte(byte: u8) -> Self {
        Self {
            interrupted: byte & 1 != 0,
            saves: byte & 2 != 0,
            leaves: byte & 4 != 0,
        }
    }
}

/// What all ranks do after a step, from what each wants: one exchange.
pub fn agree(ranks: &dyn Collectives, own: StepEnd) -> StepEnd {
    if ranks.ranks() == 1 {
        return own;
    }
    let all = ranks.all_gather_bytes(&[own.byte()]).into_iter().flatten();
    let all = all.map(StepEnd::of_byte);
    all.fold(StepEnd::default(), |all, one| StepEnd {
        interrupted: all.interrupted || one.interrupted,
        saves: all.saves || one.saves,
        leaves: all.leaves || one.leaves,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use collectives::thread_ranks;

    #[test]
    fn an_interrupt_of_any_rank_stops_all_with_a_checkpoint() {
        for interrupted in 0..3 {
            let agreed = thread_ranks(3, |ranks| {
                let own = StepEnd {
                    interrupted: ranks.rank() == interrupted,
                    ..StepEnd::default()
                };
                agree(ranks.as_ref(), own)
            });
            assert!(
                agreed
                    .iter()
                    .all(|end| end.stops() && end.writes_checkpoint())
            );
        }
    }

    #[test]
    fn every_wish_is_sent_as_it_is() {
        for byte in 0..8 {
            assert_eq!(StepEnd::of_byte(byte).byte(), byte);
        }
        let leaves = StepEnd {
            leaves: true,
            saves: true,
            ..StepEnd::default()
        };
        assert!(leaves.stops() && !leaves.writes_checkpoint());
    }
}
