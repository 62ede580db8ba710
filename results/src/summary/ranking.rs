//! The best block against dense.

use crate::study::scores::PairedDifference;

/// A block and its value of a measure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BlockValue<'s> {
    /// Label of the block.
    pub block: &'s str,
    /// A share of right answers, or a loss in nats per token: the mean over seeds.
    pub value: f64,
}

/// Which block is best, and how it compares with dense.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ranking<'s> {
    /// No value of dense to compare with.
    WithoutDense {
        /// The best of the blocks.
        best: BlockValue<'s>,
    },
    /// Dense alone has a value.
    DenseAlone {
        /// The value of dense.
        dense: f64,
    },
    /// No block is better than dense.
    DenseBest {
        /// The value of dense.
        dense: f64,
    },
    /// Another block is better than dense.
    BlockBest {
        /// That block; of several that are better, the best.
        best: BlockValue<'s>,
        /// The value of dense.
        dense: f64,
        /// Whether the difference excludes zero.
        significance: Significance,
        /// Blocks beside dense among which `best` was selected by its own result. No interval is corrected for that.
        candidates: usize,
    },
}

/// Whether the 95 % interval of a paired difference excludes zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Significance {
    /// There is no interval: no items can be paired, or, for a loss, the blocks have at most one seed in common.
    NoInterval,
    /// The interval excludes zero.
    ExcludesZero(PairedDifference),
    /// The interval includes zero: no difference is claimed.
    IncludesZero(PairedDifference),
}

impl Significance {
    fn of(difference: Option<PairedDifference>) -> Self {
        match difference.filter(|difference| difference.interval.is_bounded()) {
            None => Self::NoInterval,
            Some(difference) if difference.interval.excludes(0.0) => Self::ExcludesZero(difference),
            Some(difference) => Self::IncludesZero(difference),
        }
    }
}

/// The ranking of `blocks`, which come from the best to the worst, dense before others of equal value; none without
/// blocks. `reference` is the label of dense; `difference` gives the paired difference of a block to dense.
pub fn rank<'s>(
    blocks: &[BlockValue<'s>],
    reference: Option<&str>,
    difference: impl FnOnce(&str) -> Option<PairedDifference>,
) -> Option<Ranking<'s>> {
    let best = *blocks.first()?;
    let Some(dense) = blocks.iter().find(|other| Some(other.block) == reference) else {
        return Some(Ranking::WithoutDense { best });
    };
    let dense = dense.value;
    Some(if blocks.len() == 1 {
        Ranking::DenseAlone { dense }
    } else if Some(best.block) == reference {
        Ranking::DenseBest { dense }
    } else {
        Ranking::BlockBest {
            best,
            dense,
            significance: Significance::of(difference(best.block)),
            candidates: blocks.len() - 1,
        }
    })
}
