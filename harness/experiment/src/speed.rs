//! How fast one device trains, and what the rate is based on.

/// FLOPs per second.
pub type FlopRate = f64;

/// A training rate of one device, with its source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Given by the caller.
    Stated(FlopRate),
    /// Of the whole model, derived from a probe of its layers.
    Probed(FlopRate),
    /// Of a finished run of the same block.
    Measured(FlopRate),
    /// Of a matrix product, less what training usually loses.
    Assumed(FlopRate),
}

impl Speed {
    /// FLOPs per second.
    pub fn rate(self) -> FlopRate {
        match self {
            Self::Stated(rate)
            | Self::Probed(rate)
            | Self::Measured(rate)
            | Self::Assumed(rate) => rate,
        }
    }

    /// The source in one word, as `isoflop plan` prints it.
    pub fn basis(self) -> &'static str {
        match self {
            Self::Stated(_) => "stated",
            Self::Probed(_) => "probed",
            Self::Measured(_) => "measured",
            Self::Assumed(_) => "assumed",
        }
    }
}
