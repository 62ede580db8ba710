//! `[training.outliers]`: steps whose update is skipped.

use architectures::ConfigError;
use serde::{Deserialize, Serialize};

/// A step is an outlier if its loss or dense gradient norm exceeds the mean of the last `window` steps by more than `sigma`
/// of their standard deviations.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct OutlierConfig {
    /// Number of preceding steps.
    pub window: usize,
    /// Number of standard deviations.
    pub sigma: f64,
}

impl Default for OutlierConfig {
    fn default() -> Self {
        Self {
            window: 128,
            sigma: 6.0,
        }
    }
}

impl OutlierConfig {
    /// Validates the values.
    ///
    /// # Errors
    /// For the first value that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if !(8..=10_000).contains(&self.window) {
            return Err(ConfigError::new(
                "outliers.window",
                format!("= {} is not between 8 and 10000", self.window),
                "choose a number of steps in that range",
            ));
        }
        if !(self.sigma > 0.0 && self.sigma.is_finite()) {
            return Err(ConfigError::new(
                "outliers.sigma",
                format!("= {} is not a finite number above 0", self.sigma),
                "choose a number of standard deviations, such as 6",
            ));
        }
        Ok(())
    }
}
