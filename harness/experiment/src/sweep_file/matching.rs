//! What is held equal between the blocks of one size.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What is held equal between the blocks of one size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Matching {
    /// Training FLOPs: a block that costs less per token sees more tokens.
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
