//! Knobs: the integers of a block's configuration that a solver may vary to match a cost.

use crate::config::DecoderConfig;

/// An integer of a block's configuration. The block's cost is monotone in it.
#[derive(Debug, PartialEq, Eq)]
pub struct Knob {
    /// Its name in a request to solve for it.
    pub name: &'static str,
    /// Its keys in the block's configuration, outermost first.
    pub path: &'static [&'static str],
    /// The largest value tried without an upper bound in the request.
    pub most: usize,
    /// The difference between values without a multiple in the request.
    pub step: KnobStep,
}

/// The difference between the values of a knob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KnobStep {
    /// Every integer.
    One,
    /// Multiples of the decoder's `d_ff_multiple`.
    HiddenMultiple,
}

impl KnobStep {
    /// The difference in a decoder.
    pub fn of(self, decoder: &DecoderConfig) -> usize {
        match self {
            Self::One => 1,
            Self::HiddenMultiple => decoder.d_ff_multiple,
        }
    }
}

impl Knob {
    /// Hidden width of a feed-forward.
    pub const D_FF: Self = Self {
        name: "d_ff",
        path: &["d_ff"],
        most: 1 << 17,
        step: KnobStep::HiddenMultiple,
    };

    /// A count at one key of the configuration.
    pub const fn count(path: &'static [&'static str], most: usize) -> Self {
        Self {
            name: path[path.len() - 1],
            path,
            most,
            step: KnobStep::One,
        }
    }
}
