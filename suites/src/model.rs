//! The interface to a language model under evaluation.
//!
//! The suites are independent of tensors and devices; implementations batch and pad as their device requires.

/// A language model over token ids.
pub trait LanguageModel {
    /// For each item, in order, the natural-log probabilities of the continuation's tokens, each given the prompt and the
    /// preceding tokens of the continuation.
    ///
    /// # Errors
    /// If the model cannot be evaluated.
    fn log_probabilities(&mut self, items: &[Continuation]) -> Result<Vec<Vec<f64>>, ModelError>;

    /// For each prompt, in order, at most `max_tokens` new tokens, up to and without the first stop token.
    ///
    /// # Errors
    /// If the model cannot be evaluated.
    fn generate(
        &mut self,
        prompts: &[Vec<u32>],
        generation: &Generation,
    ) -> Result<Vec<Vec<u32>>, ModelError>;
}

/// A prompt and the tokens whose probability is evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Continuation {
    /// Prompt tokens, not empty: the first is the document separator.
    pub prompt: Vec<u32>,
    /// Continuation tokens, not empty: the last is the document separator, so that the probability is that of the
    /// complete answer and not of all answers with this prefix.
    pub continuation: Vec<u32>,
}

/// Parameters of generation.
#[derive(Debug, Clone, PartialEq)]
pub struct Generation {
    /// Maximum number of new tokens.
    pub max_tokens: usize,
    /// Tokens that end the continuation.
    pub stop: Vec<u32>,
    /// Selection of the next token.
    pub sampling: Sampling,
}

/// Selection of the next token.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Sampling {
    /// The most probable token; of equally probable ones that with the lowest id.
    Greedy,
    /// A sample from the softmax of the logits divided by `temperature`.
    Temperature {
        /// Divisor of the logits, above zero.
        temperature: f64,
        /// Seed of the samples.
        seed: u64,
    },
}

/// An error of the model under evaluation, with its description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("model: {0}")]
pub struct ModelError(pub String);
