//! Quantities to match.

use std::fmt;

use architectures::Cost;
use serde::{Deserialize, Serialize};

/// The quantity that is to be equal for a model and its reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// Training FLOPs of one token.
    FlopsPerToken,
    /// All parameters, tables included.
    ParamsTotal,
    /// Parameters that one token uses.
    ParamsActive,
    /// Table bytes that one token's forward pass gathers.
    BytesPerToken,
}

impl Target {
    /// The value for `cost`, in FLOPs, parameters or bytes.
    pub fn of(self, cost: &Cost) -> u64 {
        match self {
            Self::FlopsPerToken => cost.training(),
            Self::ParamsTotal => cost.params(),
            Self::ParamsActive => cost.params_active,
            Self::BytesPerToken => cost.bytes_gathered,
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::FlopsPerToken => "flops_per_token",
            Self::ParamsTotal => "params_total",
            Self::ParamsActive => "params_active",
            Self::BytesPerToken => "bytes_per_token",
        })
    }
}
