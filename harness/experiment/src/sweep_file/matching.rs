//! The matching mode of a sweep.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The training quantity that is equal for all blocks of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Training FLOPs: a block with fewer FLOPs per token is trained on more tokens.
    Flops,
    /// Training tokens.
    Tokens,
}

impl fmt::Display for Matching {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Flops => "flops",
            Self::Tokens => "tokens",
        })
    }
}
