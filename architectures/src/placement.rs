//! The layers that have a block.

use serde::{Deserialize, Serialize};

use crate::config::ConfigError;

/// A rule that selects layers, counted from zero.
///
/// In a sweep file: `"all"`, `"middle"`, `{ centred = { count = 3, stride = 8 } }` or `{ layers = [4, 12, 20] }`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Placement {
    /// Every layer.
    All,
    /// The layer `n_layers / 2`, where Memory is placed ("Memory Layers at Scale", table 3, base row).
    Middle,
    /// `count` layers around the middle, `stride` apart, where Memory+ is placed (section 4 of the same paper).
    Centred {
        /// Number of layers; odd, so that one is the middle.
        count: usize,
        /// Distance between consecutive layers.
        stride: usize,
    },
    /// These layers.
    Layers(Vec<usize>),
}

impl Placement {
    /// The selected layers of a decoder of `n_layers`, ascending.
    ///
    /// # Errors
    /// If the placement names a layer twice, exceeds the decoder or has no centre.
    ///
    /// ```
    /// # use architectures::Placement;
    /// let memory_plus = Placement::Centred { count: 3, stride: 8 };
    /// assert_eq!(memory_plus.layers(24).unwrap(), [4, 12, 20]);
    /// assert_eq!(memory_plus.layers(22).unwrap(), [3, 11, 19]);
    /// ```
    pub fn layers(&self, n_layers: usize) -> Result<Vec<usize>, ConfigError> {
        let middle = n_layers / 2;
        match self {
            Self::All => Ok((0..n_layers).collect()),
            Self::Middle => Ok(vec![middle]),
            Self::Centred { count, stride } => {
                if count.is_multiple_of(2) || *stride == 0 {
                    return Err(ConfigError::new(
                        "placement",
                        format!("centred with count {count} and stride {stride} has no centre"),
                        "use an odd count and a stride of 1 or more",
                    ));
                }
                let reach = (count / 2).saturating_mul(*stride);
                if reach > middle || middle + reach >= n_layers {
                    return Err(ConfigError::new(
                        "placement",
                        format!(
                            "centred with count {count} and stride {stride} exceeds the {n_layers} layers"
                        ),
                        "lower the stride or the count",
                    ));
                }
                Ok((0..*count).map(|i| middle - reach + i * stride).collect())
            }
            Self::Layers(layers) => {
                let mut sorted = layers.clone();
                sorted.sort_unstable();
                sorted.dedup();
                if sorted.len() != layers.len() {
                    return Err(ConfigError::new(
                        "placement",
                        "names a layer twice",
                        "list each layer once",
                    ));
                }
                if let Some(beyond) = sorted.iter().find(|&&layer| layer >= n_layers) {
                    return Err(ConfigError::new(
                        "placement",
                        format!("names layer {beyond} of {n_layers}"),
                        "layers count from 0",
                    ));
                }
                Ok(sorted)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn published_placements() {
        let centred = |stride| Placement::Centred { count: 3, stride };
        assert_eq!(centred(4).layers(12).unwrap(), [2, 6, 10]);
        assert_eq!(centred(8).layers(32).unwrap(), [8, 16, 24]);
        assert_eq!(Placement::Middle.layers(24).unwrap(), [12]);
        assert_eq!(Placement::All.layers(3).unwrap(), [0, 1, 2]);
    }

    #[test]
    fn invalid_placements_are_errors() {
        let rejected = |placement: Placement| placement.layers(4).unwrap_err().to_string();
        assert!(
            rejected(Placement::Centred {
                count: 2,
                stride: 1
            })
            .contains("odd")
        );
        assert!(
            rejected(Placement::Centred {
                count: 3,
                stride: 2
            })
            .contains("stride")
        );
        assert!(rejected(Placement::Layers(vec![4])).contains("layer 4 of 4"));
        assert!(rejected(Placement::Layers(vec![1, 1])).contains("twice"));
    }
}
