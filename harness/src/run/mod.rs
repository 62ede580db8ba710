//! Execution of a sweep.
//!
//! | module | contents |
//! |---|---|
//! | [`sweep`] | the loop over the runs of a plan |
//! | [`execute`] | one run: training, saving, evaluation |
//! | [`identity`] | the configuration of a run, and its name |
//! | [`progress`] | the interface for progress of sweeps and probes |
//! | [`interrupt`] | handling of Ctrl-C |
//! | [`conclusion`] | outcome of a command, and its exit status |

pub mod conclusion;
pub mod execute;
pub mod identity;
pub mod interrupt;
pub mod progress;
pub mod sweep;
