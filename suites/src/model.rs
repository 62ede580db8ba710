//! The interface to a model under evaluation.
//!
//! The suites are independent of tensors and devices: the owner of a decoder implements this trait for it, and batches
//! and pads as the device requires.

/// A language model over token ids.
pub trait LanguageModel {
    /// For each item, the sum of the natural-log probabilities of the continuation's tokens given the prompt and the
    /// continuation's earlier tokens, in the order of the items.
    fn log_probabilities(&mut self, items: &[Continuation]) -> Result<Vec<f64>, ModelError>;

    /// For each prompt, up to `max_tokens` new tokens, ended by, and without, the first stop token.
    fn generate(
        &mut self,
        prompts: &[Vec<u32>],
        generation: &Generation,
    ) -> Result<Vec<Vec<u32>>, ModelError>;
}

/// A prompt and the tokens whose probability is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    /// Never empty: it starts with the document separator.
    pub prompt: Vec<u32>,
    /// Never empty: it ends with the document separator, so its probability is that of the complete answer and not of
    /// all answers that begin with it.
    pub continuation: Vec<u32>,
}

/// How to continue a prompt.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Maximum number of new tokens.
    pub max_tokens: usize,
    /// Tokens that end the answer.
    pub stop: Vec<u32>,
    /// How the next token is chosen.
    pub sampling: Sampling,
}

/// How the next token is chosen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// The most likely token; the lowest id among equally likely ones.
    Greedy,
    /// From the softmax of the logits divided by `temperature`.
    Temperature {
        /// Divisor of the logits, above zero.
        temperature: f64,
        /// Key of the draws.
        seed: u64,
    },
}

/// An error of a model under evaluation, with its description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model: {0}")]
pub struct ModelError(pub String);
