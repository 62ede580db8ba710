//! The sentence about validation loss.

use results::number::{fixed, signed};
use results::summary::{Ranking, Significance};

use super::selection::selection_note;

/// The sentence for a ranking by loss, in nats per token.
pub fn sentence(ranking: Option<Ranking>) -> String {
    let nats = |loss| fixed(loss, 3);
    let (best, dense, significance, candidates) = match ranking {
        None => return "No validation loss was measured there.".into(),
        Some(Ranking::WithoutDense { best }) => {
            return format!(
                "Validation loss there is {} nats per token for {}, with no dense run to compare it with.",
                nats(best.value),
                best.block
            );
        }
        Some(Ranking::DenseAlone { dense }) => {
            return format!(
                "Validation loss there is {} nats per token for dense, with no other block to compare it with.",
                nats(dense)
            );
        }
        Some(Ranking::DenseBest { dense }) => {
            return format!(
                "No block's validation loss there is lower than that of dense, {} nats per token.",
                nats(dense)
            );
        }
        Some(Ranking::BlockBest {
            best,
            dense,
            significance,
            candidates,
        }) => (best, dense, significance, candidates),
    };
    let values = format!(
        "Validation loss there is {} nats per token for {} and {} for dense",
        nats(best.value),
        best.block,
        nats(dense)
    );
    let (difference, conclusion) = match significance {
        Significance::NoInterval => {
            return format!(
                "{values}: fewer than two seeds in common, hence no interval and no claim."
            );
        }
        Significance::ExcludesZero(difference) => (difference, selection_note(candidates)),
        Significance::IncludesZero(difference) => {
            (difference, ", which does not exclude zero".into())
        }
    };
    format!(
        "{values}, a difference of {} over {} seeds (95\u{a0}% interval {} to {}){conclusion}.",
        signed(difference.interval.value, 3),
        difference.seeds,
        nats(difference.interval.low),
        nats(difference.interval.high)
    )
}
