//! Kinds of timed passes: a forward pass, or a training step.

use std::fmt;

use architectures::{Cost, Flops};

/// A kind of timed pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Forward pass without gradients.
    Forward,
    /// Forward, backward, clipping and update.
    Step,
}

impl Phase {
    /// Both phases, the one with the lower memory need first.
    pub const ALL: [Self; 2] = [Self::Forward, Self::Step];

    /// FLOPs of one token.
    pub fn flops(self, cost: &Cost) -> Flops {
        match self {
            Self::Forward => cost.forward(),
            Self::Step => cost.training(),
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "forward",
            Self::Step => "step",
        })
    }
}
