//! Training rate of one device, with its source.

/// FLOPs per second.
pub type FlopRate = f64;

/// A training rate of one device, with its source.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Speed {
    /// Given on the command line.
    Stated(FlopRate),
    /// Of the whole model, derived from measured times of its layers on such a device (`isoflop probe`).
    Probed(FlopRate),
    /// Measured in a finished run of the same model on such a device.
    Measured(FlopRate),
    /// Measured in a finished run of the same block in a model of another size on such a device.
    Extrapolated(FlopRate),
    /// A datasheet's peak rate times an assumed utilisation.
    Datasheet(FlopRate),
    /// Rate of a matrix product on this machine times an assumed efficiency.
    Product(FlopRate),
}

impl Speed {
    /// FLOPs per second.
    pub fn rate(self) -> FlopRate {
        match self {
            Self::Stated(rate)
            | Self::Probed(rate)
            | Self::Measured(rate)
            | Self::Extrapolated(rate)
            | Self::Datasheet(rate)
            | Self::Product(rate) => rate,
        }
    }

    /// Whether it is assumed or measured on another model: figures that follow from it are printed with `~`.
    pub fn is_rough(self) -> bool {
        matches!(
            self,
            Self::Extrapolated(_) | Self::Datasheet(_) | Self::Product(_)
        )
    }

    /// Name of the source, as `isoflop plan` prints it.
    pub fn basis(self) -> &'static str {
        match self {
            Self::Stated(_) => "stated",
            Self::Probed(_) => "probed",
            Self::Measured(_) => "measured",
            Self::Extrapolated(_) => "extrapolated",
            Self::Datasheet(_) => "datasheet",
            Self::Product(_) => "product",
        }
    }
}
