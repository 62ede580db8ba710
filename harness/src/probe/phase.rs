//! What is timed: a forward pass, or a whole training step.

use std::fmt;

use architectures::{Cost, Flops};

/// A kind of pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Forward, without gradients.
    Forward,
    /// Forward, backward, clipping and update.
    Step,
}

impl Phase {
    /// Both, the one that needs less first.
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
