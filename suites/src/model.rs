//! What a suite may ask of a model, and nothing more.
//!
//! The suites know neither tensors nor devices: whoever owns a decoder implements this trait over it, and batches
//! and pads as suits the device.

/// A language model over token ids.
pub trait LanguageModel {
    /// For each item the sum of the natural-log probabilities of the continuation's tokens given the prompt and the
    /// continuation's earlier tokens, in the order of the items.
    fn log_probabilities(&mut self, items: &[Continuation]) -> Result<Vec<f64>, ModelError>;

    /// For each prompt up to `max_tokens` new tokens, ended by, and without, the first stop token.
    fn generate(
        &mut self,
        prompts: &[Vec<u32>],
        generation: &Generation,
    ) -> Result<Vec<Vec<u32>>, ModelError>;
}

/// A prompt and the text whose probability is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    /// Never empty: it starts with the document separator.
    pub prompt: Vec<u32>,
    /// Never empty: it ends with the document separator, so its probability is that of the whole answer and not of all
    /// answers that begin with it.
    pub continuation: Vec<u32>,
}

/// How to continue a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Most new tokens.
    pub max_tokens: usize,
    /// Tokens that end the answer.
    pub stop: Vec<u32>,
    /// How the next token is chosen.
    pub sampling: Sampling,
}

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// The likeliest token; the lowest id among equals.
    Greedy,
    /// From the softmax of the logits divided by `temperature`.
    Temperature {
        /// Above zero.
        temperature: f64,
        /// Key of the draws.
        seed: u64,
    },
}

/// Why a model could not answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model: {0}")]
pub struct ModelError(pub String);
