//! The frames grouped for comparison: by block, by size and budget, by seed; scores and gains of each group.
//!
//! | module | contents |
//! |---|---|
//! | `grouping` | [`Study`]: the runs of each size and budget, and which of them can be compared |
//! | `budgets` | sizes that share a budget, and the best of them for a block |
//! | `measure` | [`Measure`]: what blocks are compared by |
//! | `block_order` | the order in which blocks are listed |
//! | `block_role` | [`BlockRole`]: the role of a block, by its configuration |
//! | [`scores`] | accuracies and paired differences to dense, with their confidence intervals |
//! | [`benchmarks`] | scores on published benchmarks, paired with dense by seed |
//! | [`best_size`] | what a block knows at the size that other seeds choose at a budget |
//! | [`block_gains`] | compute- and parameter-equivalent gains of each block |
//! | [`scaling`] | values over budgets, and the laws through them |
//! | [`table_size`] | accuracy against slots of the value tables |
//! | [`held_out`] | bits per byte and nats per token on the held-out documents of text corpora |
//! | [`knowledge`] | bits stored per parameter |
//! | [`probe_groups`] | probes of one device, and its roofline |
//! | [`verdicts`] | whether a block differs from dense, over seeds that may be added |
//! | [`split`] | a lead divided into more tokens and better per token |
//! | [`tuning`] | the search of training settings, and its cost |
//! | `tokens_to_dense` | tokens until a block has the final loss of dense |

pub mod benchmarks;
pub mod best_size;
pub mod block_gains;
mod block_order;
mod block_role;
mod budgets;
mod grouping;
pub mod held_out;
pub mod knowledge;
mod measure;
pub mod probe_groups;
pub mod scaling;
pub mod scores;
pub mod split;
pub mod table_size;
mod tokens_to_dense;
pub mod tuning;
pub mod verdicts;

pub use block_role::BlockRole;
pub use budgets::BlockAtRung;
pub use grouping::{Rung, Study, mean};
pub use measure::Measure;
pub use tokens_to_dense::{TokensToDense, tokens_to_dense};
