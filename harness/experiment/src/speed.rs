//! Training rate of one device, with its source.

/// FLOPs per second.
pub type FlopRate = f64;

/// A training rate of one device, with its source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Given on the command line.
    Stated(FlopRate),
    /// Of the whole model, derived from measured times of its layers (`isoflop probe`).
    Probed(FlopRate),
    /// Measured in a finished run of the same block.
    Measured(FlopRate),
    /// Rate of a matrix product times an assumed efficiency.
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

    /// Name of the source, as `isoflop plan` prints it.
    pub fn basis(self) -> &'static str {
        match self {
            Self::Stated(_) => "stated",
            Self::Probed(_) => "probed",
            Self::Measured(_) => "measured",
            Self::Assumed(_) => "assumed",
        }
    }
}
