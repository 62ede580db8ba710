//! The frames grouped for comparison: by block, by size and budget, by seed; scores and gains of each group.
//!
//! | module | contents |
//! |---|---|
//! | `grouping` | [`Study`]: the runs of each size and budget, and which of them can be compared |
//! | `budgets` | sizes that share a budget, and the best of them for a block |
//! | `measure` | [`Measure`]: what blocks are compared by |
//! | [`block_order`] | the order in which blocks are listed |
//! | [`scores`] | accuracies and paired differences to dense, with their confidence intervals |
//! | [`block_gains`] | what a block's score would cost dense, in compute and parameters |

pub mod block_gains;
pub mod block_order;
mod budgets;
mod grouping;
mod measure;
pub mod scores;

pub use block_order::REFERENCE;
pub use budgets::BlockAtRung;
pub use grouping::{Rung, Study, mean};
pub use measure::Measure;
