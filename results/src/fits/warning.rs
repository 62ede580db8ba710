//! Warnings about a fitted law.

use std::fmt;

use super::law::{Free, Residuals};
use super::minimize::{EXPONENT_BOUNDS, term_bounds};

/// Twice the parameters of the law.
const FEW: usize = 10;

/// A reason to distrust part of a fitted law.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FitWarning {
    /// The best E is 0.
    NoIrreducible,
    /// The loss does not fall with N: no such term, or an exponent of 0.
    FlatInParams,
    /// The loss does not fall with D.
    FlatInTokens,
    /// An exponent is at a bound of the search.
    Steep,
    /// Too few points for reliable resampling.
    FewPoints {
        /// Runs.
        found: usize,
    },
    /// N and D grew together, so that their two terms cannot be distinguished.
    Collinear {
        /// Correlation of their logarithms.
        correlation: f64,
    },
}

impl fmt::Display for FitWarning {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            Self::NoIrreducible => write!(
                f,
                "the best irreducible loss is 0: the losses are too far above it to identify one"
            ),
            Self::FlatInParams => write!(f, "in these points the loss does not fall with N"),
            Self::FlatInTokens => write!(f, "in these points the loss does not fall with D"),
            Self::Steep => write!(
                f,
                "an exponent is at the upper bound of the search, {}",
                EXPONENT_BOUNDS.1
            ),
            Self::FewPoints { found } => write!(
                f,
                "{found} runs for five parameters: intervals are unreliable below {FEW}"
            ),
            Self::Collinear { correlation } => write!(
                f,
                "log N and log D are correlated at {correlation:.3}: alpha and beta cannot be distinguished"
            ),
        }
    }
}

/// All warnings about the law at `best`.
pub(super) fn warnings(residuals: &Residuals, best: &Free) -> Vec<FitWarning> {
    let [a, b, e, alpha, beta] = *best;
    let (nothing, _) = term_bounds(residuals);
    // Within two e-folds of the bound a term is less than a hundred-thousandth of the loss.
    let absent = |term: f64| term < nothing + 2.0;
    let mut warnings = Vec::new();
    if absent(e) {
        warnings.push(FitWarning::NoIrreducible);
    }
    if absent(a) || alpha < 0.01 {
        warnings.push(FitWarning::FlatInParams);
    }
    if absent(b) || beta < 0.01 {
        warnings.push(FitWarning::FlatInTokens);
    }
    if alpha.max(beta) > EXPONENT_BOUNDS.1 - 0.01 {
        warnings.push(FitWarning::Steep);
    }
    let found = residuals.rows().count();
    if found < FEW {
        warnings.push(FitWarning::FewPoints { found });
    }
    let sum = |of: fn(&[f64; 3]) -> f64| residuals.rows().map(|(row, _)| of(row)).sum::<f64>();
    let correlation = sum(|row| row[0] * row[1])
        / (sum(|row| row[0] * row[0]) * sum(|row| row[1] * row[1])).sqrt();
    if correlation.abs() > 0.99 {
        warnings.push(FitWarning::Collinear { correlation });
    }
    warnings
}
