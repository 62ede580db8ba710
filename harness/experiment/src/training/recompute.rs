//! `recompute` of `[training]`: which activations of a training step are stored.

use std::fmt;

use architectures::ConfigError;
use serde::{Deserialize, Deserializer};

/// Whether layers are evaluated again in the backward pass (Chen et al. 2016, "Training Deep Nets with Sublinear Memory
/// Cost"). A segment is a number of consecutive layers, of which the forward pass stores the input alone; the last segment,
/// whose backward pass begins at once, is not evaluated again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Recompute {
    /// All activations of the forward pass are stored.
    #[default]
    None,
    /// Segments of this many layers, at least one; `"layers"` is one.
    Every(usize),
}

impl Recompute {
    /// Layers of a segment in a decoder of `n_layers` layers.
    pub fn segment_layers(self, n_layers: usize) -> usize {
        match self {
            Self::None => n_layers,
            Self::Every(layers) => layers.min(n_layers),
        }
    }

    /// Validates the number of layers.
    ///
    /// # Errors
    /// If it is zero.
    pub fn check(self) -> Result<(), ConfigError> {
        match self {
            Self::Every(0) => Err(ConfigError::new(
                "recompute",
                "= 0 is not a number of layers",
                "use \"none\", \"layers\" or a number of 1 or more",
            )),
            _ => Ok(()),
        }
    }
}

/// As in a sweep file.
impl fmt::Display for Recompute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("\"none\""),
            Self::Every(1) => f.write_str("\"layers\""),
            Self::Every(layers) => write!(f, "{layers}"),
        }
    }
}

impl<'de> Deserialize<'de> for Recompute {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl serde::de::Visitor<'_> for Visitor {
            type Value = Recompute;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("\"none\", \"layers\" or a number of layers of 1 or more")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Recompute, E> {
                match text {
                    "none" => Ok(Recompute::None),
                    "layers" => Ok(Recompute::Every(1)),
                    _ => Err(E::invalid_value(serde::de::Unexpected::Str(text), &self)),
                }
            }

            fn visit_i64<E: serde::de::Error>(self, layers: i64) -> Result<Recompute, E> {
                match usize::try_from(layers) {
                    Ok(layers) if layers > 0 => Ok(Recompute::Every(layers)),
                    _ => Err(E::invalid_value(
                        serde::de::Unexpected::Signed(layers),
                        &self,
                    )),
                }
            }

            fn visit_u64<E: serde::de::Error>(self, layers: u64) -> Result<Recompute, E> {
                self.visit_i64(i64::try_from(layers).unwrap_or(i64::MAX))
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::TrainingConfig;

    fn training(line: &str) -> Result<TrainingConfig, toml::de::Error> {
        toml::from_str(&format!(
            "batch_size = 4\nlearning_rate = 1e-3\ntable_learning_rate = 1e-3\n{line}"
        ))
    }

    #[test]
    fn names_and_numbers_of_layers_are_read() {
        for (line, expected) in [
            ("", Recompute::None),
            ("recompute = \"none\"", Recompute::None),
            ("recompute = \"layers\"", Recompute::Every(1)),
            ("recompute = 3", Recompute::Every(3)),
        ] {
            let found = training(line).unwrap().recompute;
            assert_eq!(found, expected, "{line}");
            let again = format!("recompute = {found}");
            assert_eq!(training(&again).unwrap().recompute, expected, "{again}");
        }
        for line in ["recompute = 0", "recompute = -1", "recompute = \"all\""] {
            let error = training(line).unwrap_err().to_string();
            assert!(error.contains("a number of layers of 1 or more"), "{error}");
        }
        assert_eq!(Recompute::Every(3).segment_layers(2), 2);
        assert!(Recompute::Every(0).check().is_err());
    }

    #[test]
    fn only_accumulation_is_part_of_the_text_that_names_a_run() {
        let text = |line: &str| toml::to_string(&training(line).unwrap()).unwrap();
        assert_eq!(text("recompute = \"layers\"\naccumulate = 1"), text(""));
        assert!(text("accumulate = 2").contains("accumulate = 2"));
    }
}
