//! The forecasts of a sweep with everything that they rest on, and a hash by which a later change is noticed.

use serde::{Deserialize, Serialize};

use super::predict::Distribution;

/// Version of the record.
pub(super) const FORMAT: u32 = 1;

/// How a block's value at a budget is defined; a part of the record.
pub(super) const RULE: &str = "at each budget a block has the size of its lowest mean validation loss; its value is the mean over the seeds \
    that finished; a block without a finished run at the budget of the forecast is a miss of all its forecasts";

/// What is forecast.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Validation loss in nats per token.
    ValidationLoss,
    /// Loss of the tokens that carry a fact, in nats per answer, on the recall suites.
    AnswerLoss,
    /// Recall in percent.
    Recall,
    /// Validation loss of the block minus that of dense, in nats per token.
    ValidationLead,
    /// Loss of answers of the block minus that of dense, in nats.
    AnswerLead,
}

impl Quantity {
    /// The quantity in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::ValidationLoss => "validation loss, nats per token",
            Self::AnswerLoss => "loss of answers, nats",
            Self::Recall => "recall of facts, %",
            Self::ValidationLead => "validation loss, block − dense",
            Self::AnswerLead => "loss of answers, block − dense",
        }
    }
}

/// The forecast of one quantity of one block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Forecast {
    /// Label of the block.
    pub block: String,
    /// What is forecast.
    pub quantity: Quantity,
    /// p and q of `y = p + q ln C`.
    pub law: (f64, f64),
    /// The factor by which the distribution was widened for a law that missed the last budget.
    pub inflation: f64,
    /// The predictive distribution.
    pub distribution: Distribution,
    /// The baseline: as at the last budget.
    pub as_last: Distribution,
    /// For a lead, the baseline of no difference.
    pub no_difference: Option<Distribution>,
}

/// The forecasts of a sweep, sealed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Version of the record.
    pub format: u32,
    /// Name of the sweep.
    pub sweep: String,
    /// When it was written, RFC 3339, UTC. The proof of the date is a published commit, not this.
    pub written: String,
    /// Commit of the program.
    pub commit: String,
    /// The budget of the forecast in training FLOPs.
    pub flops: f64,
    /// Seeds that will be averaged there.
    pub seeds: usize,
    /// The validation loss that no compute removes, pinned; that of answers is 0.
    pub floor: f64,
    /// How a block's value at a budget is defined.
    pub rule: String,
    /// The budgets that it rests on.
    pub budgets: Vec<f64>,
    /// Number of finished runs that it rests on.
    pub runs: usize,
    /// BLAKE3 of their names and losses.
    pub rows: String,
    /// The forecasts.
    pub forecasts: Vec<Forecast>,
    /// Hash of the forecast of the sweep before this one; empty for the first.
    pub previous: String,
    /// BLAKE3 of the record in JSON with this field empty.
    pub hash: String,
}

impl Sealed {
    /// The record with its hash.
    #[must_use]
    pub fn sealed(mut self) -> Self {
        self.hash = String::new();
        self.hash = self.computed_hash();
        self
    }

    /// The record in JSON, as it is written.
    ///
    /// # Errors
    /// If it cannot be serialised. Numbers that are not finite become null, which [`Sealed::parse`] rejects.
    pub fn to_json(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }

    /// Reads a record.
    ///
    /// # Errors
    /// Why it is none, or that it was changed after it was sealed.
    pub fn parse(text: &str) -> Result<Self, String> {
        let sealed: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if sealed.format != FORMAT {
            return Err(format!(
                "has format {}, and this program reads {FORMAT}",
                sealed.format
            ));
        }
        let hash = Self {
            hash: String::new(),
            ..sealed.clone()
        }
        .computed_hash();
        if hash != sealed.hash {
            return Err("was changed after it was sealed: its hash is another".to_owned());
        }
        Ok(sealed)
    }

    fn computed_hash(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        blake3::hash(text.as_bytes()).to_hex().to_string()
    }
}
