//! `zero_stage` of `[training]`: what of the dense parameters is divided among the ranks that train one model.

use serde::{Deserialize, Serialize};

/// A stage of ZeRO (Rajbhandari et al. 2020, "ZeRO: Memory Optimizations Toward Training Trillion Parameter Models"), 1 or 2. Dense
/// weights are whole on every rank in both.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub enum ZeroStage {
    /// Stage 1: moments are divided. A rank adds the gradients of its parts of a batch, and ranks exchange them once in a step.
    #[default]
    Moments,
    /// Stage 2: gradients are divided too. Ranks exchange those of each part that is computed after another, of each segment of layers
    /// that is evaluated again as soon as they are complete, and a rank keeps the sums of its elements alone.
    Gradients,
}

impl ZeroStage {
    /// Whether gradients are divided.
    pub fn divides_gradients(self) -> bool {
        self == Self::Gradients
    }
}

impl TryFrom<u8> for ZeroStage {
    type Error = String;

    fn try_from(stage: u8) -> Result<Self, String> {
        match stage {
            1 => Ok(Self::Moments),
            2 => Ok(Self::Gradients),
            other => Err(format!(
                "zero_stage = {other} is not 1 or 2; use 1 to divide moments among ranks, 2 to divide gradients too"
            )),
        }
    }
}

impl From<ZeroStage> for u8 {
    fn from(stage: ZeroStage) -> Self {
        match stage {
            ZeroStage::Moments => 1,
            ZeroStage::Gradients => 2,
        }
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
    fn a_stage_is_1_or_2_and_no_part_of_the_text_that_names_a_run() {
        let stage = |line: &str| training(line).unwrap().zero_stage;
        assert_eq!(stage(""), ZeroStage::Moments);
        assert_eq!(stage("zero_stage = 1"), ZeroStage::Moments);
        assert_eq!(stage("zero_stage = 2"), ZeroStage::Gradients);
        let text = |line: &str| toml::to_string(&training(line).unwrap()).unwrap();
        assert_eq!(text("zero_stage = 2"), text(""));
        for line in ["zero_stage = 0", "zero_stage = 3"] {
            let error = training(line).unwrap_err().to_string();
            assert!(error.contains("use 1 to divide moments"), "{error}");
        }
        assert!(training("zero_stage = -1").is_err());
        assert!(training("zero_stage = \"two\"").is_err());
    }
}
