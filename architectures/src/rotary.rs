//! Frequencies of the rotary position embedding (Su et al. 2021), and their scaling to sequences longer than those of pretraining.
//!
//! ```text
//! f_i    = theta^(-i / half)                                  half = head_dim / 2; the angle of pair i at position t is t f_i
//! linear : f_i / factor                                       (Chen et al. 2023)
//! llama3 : f_i           if original_seq_len f_i / 2 pi > high_freq_factor
//!          f_i / factor  if original_seq_len f_i / 2 pi < low_freq_factor
//!          s f_i + (1 - s) f_i / factor between them, s linear in the number of turns   (Llama 3.1)
//! ```

use std::f64::consts::TAU;

use serde::{Deserialize, Serialize};

use crate::config::{ConfigError, MAX_SEQ_LEN};

/// A scaling of the frequencies.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum RotaryScaling {
    /// All positions are divided by a factor.
    Linear {
        /// The factor.
        factor: f64,
    },
    /// Frequencies with few turns in the original sequence length are divided by a factor.
    Llama3 {
        /// The factor.
        factor: f64,
        /// Turns in the original length below which a frequency is divided.
        low_freq_factor: f64,
        /// Turns in the original length above which a frequency is kept.
        high_freq_factor: f64,
        /// Length of the sequences of pretraining, in tokens.
        original_seq_len: usize,
    },
}

/// The frequencies of a decoder's rotary position embedding.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rotary {
    /// Base of the frequencies.
    pub theta: f64,
    /// Their scaling.
    pub scaling: Option<RotaryScaling>,
}

impl Rotary {
    /// Frequencies of the base `theta`, not scaled.
    pub fn unscaled(theta: f64) -> Self {
        Self {
            theta,
            scaling: None,
        }
    }

    /// The frequency of the pair `pair` of `half`, radians per position.
    pub fn frequency(&self, pair: usize, half: usize) -> f64 {
        let frequency = self.theta.powf(-(pair as f64) / half as f64);
        match self.scaling {
            None => frequency,
            Some(RotaryScaling::Linear { factor }) => frequency / factor,
            Some(RotaryScaling::Llama3 {
                factor,
                low_freq_factor: low,
                high_freq_factor: high,
                original_seq_len,
            }) => {
                let turns = original_seq_len as f64 * frequency / TAU;
                let kept = ((turns - low) / (high - low)).clamp(0.0, 1.0);
                kept * frequency + (1.0 - kept) * frequency / factor
            }
        }
    }
}

impl RotaryScaling {
    /// Validates the values.
    ///
    /// # Errors
    /// If a factor is not positive and finite, or the two bounds are not ascending.
    pub fn check(&self) -> Result<(), ConfigError> {
        let invalid =
            |problem: String, remedy: &str| Err(ConfigError::new("rope_scaling", problem, remedy));
        let (Self::Linear { factor } | Self::Llama3 { factor, .. }) = *self;
        if !(factor >= 1.0 && factor.is_finite()) {
            return invalid(format!("has factor = {factor}"), "use 1 or more");
        }
        if let Self::Llama3 {
            low_freq_factor: low,
            high_freq_factor: high,
            original_seq_len,
            ..
        } = *self
        {
            if !(low > 0.0 && low < high && high.is_finite()) {
                let problem = format!("has low_freq_factor = {low} and high_freq_factor = {high}");
                return invalid(
                    problem,
                    "use positive and ascending factors; 1 and 4 are usual",
                );
            }
            ConfigError::within("original_seq_len", original_seq_len, MAX_SEQ_LEN)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn llama3_keeps_fast_frequencies_and_divides_slow_ones() {
        let scaled = Rotary {
            theta: 500_000.0,
            scaling: Some(RotaryScaling::Llama3 {
                factor: 32.0,
                low_freq_factor: 1.0,
                high_freq_factor: 4.0,
                original_seq_len: 8192,
            }),
        };
        let plain = Rotary::unscaled(500_000.0);
        let ratio = |pair: usize| scaled.frequency(pair, 32) / plain.frequency(pair, 32);
        assert_eq!(ratio(0), 1.0);
        assert_eq!(ratio(31), 1.0 / 32.0);
        // Pair 16: 8192 * 500000^-0.5 / (2 pi) = 1.8438 turns, of which (1.8438 - 1) / 3 are kept.
        let kept: f64 = (8192.0 / 500_000f64.sqrt() / TAU - 1.0) / 3.0;
        assert!((ratio(16) - (kept + (1.0 - kept) / 32.0)).abs() < 1e-12);
        assert!((kept - 0.2813).abs() < 1e-3, "{kept}");
    }

    #[test]
    fn linear_scaling_divides_every_frequency() {
        let scaling = Some(RotaryScaling::Linear { factor: 4.0 });
        let scaled = Rotary {
            theta: 1e4,
            scaling,
        };
        for pair in 0..8 {
            let plain = Rotary::unscaled(1e4).frequency(pair, 8);
            assert_eq!(scaled.frequency(pair, 8), plain / 4.0);
        }
    }

    #[test]
    fn invalid_scalings_are_errors() {
        for json in [
            r#"{"kind": "linear", "factor": 0.5}"#,
            r#"{"kind": "llama3", "factor": 8, "low_freq_factor": 4, "high_freq_factor": 4, "original_seq_len": 9}"#,
            r#"{"kind": "llama3", "factor": 8, "low_freq_factor": 0, "high_freq_factor": 4, "original_seq_len": 9}"#,
            r#"{"kind": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4, "original_seq_len": 0}"#,
        ] {
            let scaling: RotaryScaling = serde_json::from_str(json).unwrap();
            assert!(scaling.check().is_err(), "{json}");
        }
    }
}
