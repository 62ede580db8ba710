//! A sweep as it runs: the loop over its runs, one run, its identity, its progress and its end.
//!
//! | module | contents |
//! |---|---|
//! | [`sweep`] | the loop over the runs of a plan |
//! | [`execute`] | one run: train, save, evaluate, record |
//! | [`identity`] | the configuration of a run and its name, a hash |
//! | [`progress`] | what a sweep or a probe reports while it runs |
//! | [`interrupt`] | Ctrl-C |
//! | [`conclusion`] | how a command ended, and its exit status |

pub mod conclusion;
pub mod execute;
pub mod identity;
pub mod interrupt;
pub mod progress;
pub mod sweep;
