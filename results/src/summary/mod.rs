//! What a sweep shows at its largest budget, decided by rule: which blocks are compared, which is best, and whether its
//! difference to dense excludes zero.
//!
//! | file | contents |
//! |---|---|
//! | `budget` | the budget and the blocks that can be compared there |
//! | `ranking` | the best block against dense, of any measure |
//! | `accuracy`, `loss` | the ranking by pooled accuracy, and by validation loss |

mod accuracy;
mod budget;
mod loss;
mod ranking;
#[cfg(test)]
mod tests;

pub use accuracy::AccuracySummary;
pub use ranking::{BlockValue, Ranking, Significance};

use crate::study::scores::Suite;
use crate::study::{Measure, Rung, Study};

/// The comparison of all blocks with dense at one budget.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary<'s> {
    /// The sizes that share the largest budget at which dense and another block finished; where there is no such budget,
    /// those of the largest at which any block finished. Never empty.
    pub rungs: Vec<&'s Rung>,
    /// By accuracy on the question suites of facts; none where no block was evaluated on any.
    pub questions: Option<AccuracySummary<'s>>,
    /// The same for the recall suites.
    pub recall: Option<AccuracySummary<'s>>,
    /// By validation loss, in nats per token; none where no run there has a finite one.
    pub loss: Option<Ranking<'s>>,
    /// Blocks that finished there on other data, with another tokenizer or with other training settings than dense.
    pub not_comparable: Vec<&'s str>,
}

impl<'s> Summary<'s> {
    /// The summary of `study`; none where no run finished.
    pub fn new(study: &'s Study, suites: &'s [Suite]) -> Option<Self> {
        let rungs = budget::largest(study)?;
        let of = |measure: Measure| accuracy::summarize(study, &measure.suites(suites), &rungs);
        let compared = budget::comparable(study, &rungs, &[]);
        Some(Self {
            questions: of(Measure::Questions),
            recall: of(Measure::Recall),
            loss: loss::rank(study, &compared),
            not_comparable: budget::not_comparable(study, &rungs, &compared),
            rungs,
        })
    }

    /// The budget in training FLOPs: the largest target of its sizes.
    pub fn flops(&self) -> f64 {
        self.rungs.iter().map(|rung| rung.flops).fold(0.0, f64::max)
    }
}
