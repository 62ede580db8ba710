//! The training tokens after which a run reaches a score.

use std::fmt;

use super::Better;
use crate::StepRow;

/// When a run reached a score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum TokensToScore {
    /// At the first measurement, after these tokens, the score was already reached.
    Before(f64),
    /// After these tokens, between two measurements or at one.
    At(f64),
    /// Not within these tokens.
    Never {
        /// The best score measured, in its own unit.
        best: f64,
        /// Training tokens of the run.
        tokens: f64,
    },
    /// Nothing was measured.
    Unmeasured,
}

impl fmt::Display for TokensToScore {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::Before(tokens) => write!(f, "within the first {tokens:.3e} tokens"),
            Self::At(tokens) => write!(f, "after {tokens:.3e} tokens"),
            Self::Never { best, tokens } => {
                write!(f, "not reached within {tokens:.3e} tokens (best {best:.4})")
            }
            Self::Unmeasured => write!(f, "nothing was measured"),
        }
    }
}

/// Tokens until a run's validation loss first was `loss` nats per token or less, interpolated between the steps at which it
/// was measured.
pub fn tokens_to_loss<'a>(
    steps: impl IntoIterator<Item = &'a StepRow>,
    loss: f64,
) -> TokensToScore {
    let measured: Vec<(f64, f64)> = steps
        .into_iter()
        .filter_map(|step| Some((step.tokens as f64, step.val_loss?)))
        .collect();
    tokens_to_score(&measured, loss, Better::Lower)
}

/// Tokens until a score was first reached, from pairs `(tokens, score)` in any order. Between two measurements the score is
/// linear in the logarithm of tokens; nothing is extrapolated before the first or after the last.
///
/// ```
/// use results::gains::{Better, TokensToScore, tokens_to_score};
///
/// let losses = [(1e6, 5.0), (1e8, 4.0), (1e9, 3.0)];
/// assert!(matches!(tokens_to_score(&losses, 4.5, Better::Lower), TokensToScore::At(t) if (t / 1e7 - 1.0).abs() < 1e-9));
/// assert_eq!(tokens_to_score(&losses, 5.5, Better::Lower), TokensToScore::Before(1e6));
/// assert_eq!(tokens_to_score(&losses, 2.9, Better::Lower), TokensToScore::Never { best: 3.0, tokens: 1e9 });
/// ```
pub fn tokens_to_score(measured: &[(f64, f64)], score: f64, better: Better) -> TokensToScore {
    let mut sorted: Vec<(f64, f64)> = measured
        .iter()
        .filter(|(tokens, score)| *tokens > 0.0 && score.is_finite())
        .map(|&(tokens, score)| (tokens, better.goodness(score)))
        .collect();
    sorted.sort_by(|x, y| x.0.total_cmp(&y.0));
    let wanted = better.goodness(score);
    let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else {
        return TokensToScore::Unmeasured;
    };
    if first.1 >= wanted {
        return TokensToScore::Before(first.0);
    }
    let crossing = sorted.windows(2).find(|pair| pair[1].1 >= wanted);
    match crossing {
        Some(pair) => {
            let share = (wanted - pair[0].1) / (pair[1].1 - pair[0].1);
            let (before, after) = (pair[0].0.ln(), pair[1].0.ln());
            TokensToScore::At((before + share * (after - before)).exp())
        }
        None => {
            let best = sorted
                .iter()
                .map(|pair| pair.1)
                .fold(f64::NEG_INFINITY, f64::max);
            TokensToScore::Never {
                // `goodness` is its own inverse.
                best: better.goodness(best),
                tokens: last.0,
            }
        }
    }
}
