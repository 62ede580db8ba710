//! The shape of a Memory+ step in the measurement of memory.

use std::fmt;
use std::str::FromStr;

/// `top_k` and width of a Memory+ block; `32x128` as text.
#[derive(Clone, Copy)]
pub struct StepShape {
    /// Slots read per head and token.
    pub top_k: usize,
    /// Width of the decoder and of a value.
    pub d_model: usize,
}

impl StepShape {
    /// A shape.
    pub const fn new(top_k: usize, d_model: usize) -> Self {
        Self { top_k, d_model }
    }
}

impl fmt::Display for StepShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.top_k, self.d_model)
    }
}

impl FromStr for StepShape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parse = || {
            let (top_k, d_model) = text.split_once('x')?;
            Some(Self::new(top_k.parse().ok()?, d_model.parse().ok()?))
        };
        parse().ok_or_else(|| "is not of the form TOP_KxD_MODEL, such as 32x128".to_owned())
    }
}
