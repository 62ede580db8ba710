//! `[training.checkpoint]`: when the state of training is saved, and which checkpoints are kept.

use std::time::Duration;

use architectures::ConfigError;
use serde::Deserialize;
use serde::de::{Deserializer, Error};

use crate::units;

/// When checkpoints are written and which are kept. One is also written when a run is interrupted.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct CheckpointConfig {
    /// Time between checkpoints, such as `10m`.
    #[serde(deserialize_with = "duration")]
    pub every: Duration,
    /// Number of steps between checkpoints; none by steps if absent.
    pub every_steps: Option<usize>,
    /// Number of the latest checkpoints that are kept; at least two, so that a damaged one is not the only one.
    pub keep_last: usize,
    /// Whether the checkpoint with the lowest validation loss is kept too, also after the run is finished. It is written
    /// after each validation that improves the loss.
    pub keep_best: bool,
}

impl Default for CheckpointConfig {
    fn default() -> Self {
        Self {
            every: Duration::from_secs(600),
            every_steps: None,
            keep_last: 2,
            keep_best: false,
        }
    }
}

impl CheckpointConfig {
    /// Validates the values.
    ///
    /// # Errors
    /// For the first value that is out of range.
    pub fn check(&self) -> Result<(), ConfigError> {
        if let Some(steps) = self.every_steps {
            ConfigError::positive("checkpoint.every_steps", steps)?;
        }
        if !(2..=1000).contains(&self.keep_last) {
            return Err(ConfigError::new(
                "checkpoint.keep_last",
                format!("= {} is not between 2 and 1000", self.keep_last),
                "keep at least two, so that a damaged checkpoint is not the only one",
            ));
        }
        Ok(())
    }
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    units::duration(&text).map_err(D::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_and_checked() {
        let config: CheckpointConfig =
            toml::from_str("every = \"90s\"\nevery_steps = 50\nkeep_best = true").unwrap();
        assert_eq!(config.every, Duration::from_secs(90));
        assert!(config.check().is_ok() && config.keep_best);
        assert!(toml::from_str::<CheckpointConfig>("every = \"soon\"").is_err());
        let one = CheckpointConfig {
            keep_last: 1,
            ..CheckpointConfig::default()
        };
        assert!(one.check().unwrap_err().to_string().contains("keep_last"));
    }
}
