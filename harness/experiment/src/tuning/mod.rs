//! The search of learning rates before the runs of a sweep, as far as it follows from configuration and losses.
//!
//! | module | contents |
//! |---|---|
//! | [`search`] | the search of one block at one size: the next trials, or what was picked |
//! | [`transfer`] | the law that gives the rates of other sizes |
//! | [`cells`] | the trials of a sweep as runs, and its plan with the rates that were picked |

pub mod cells;
pub mod search;
pub mod transfer;
