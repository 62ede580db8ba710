//! Execution of a sweep.
//!
//! | module | contents |
//! |---|---|
//! | [`sweep`] | the loop over the runs of a plan |
//! | [`execute`] | one run: training, saving, evaluation |
//! | [`identity`] | the configuration of a run, and its name |
//! | [`progress`] | the interface for progress of sweeps and probes |
//! | [`interrupt`] | handling of Ctrl-C |
//! | [`data`] | the tokens and suites of a plan |
//! | [`claim`], [`heartbeat`], [`activity`] | which process executes a run, and what it does |
//! | [`resume`], [`training`], [`evaluation`] | parts of one run: where it begins, training with checkpoints, evaluation |
//! | [`initial_weights`] | the state before the first step, with parameters of another model |
//! | [`rerun`] | a recorded run built again from its row, and compared |
//! | [`decide`] | which seeds are added until claims are decided |
//! | [`disk_wait`] | waiting for space on the disk |
//! | [`conclusion`] | outcome of a command, and its exit status |

pub mod activity;
pub mod claim;
pub mod conclusion;
pub mod data;
pub mod decide;
pub mod disk_wait;
pub mod evaluation;
pub mod execute;
pub mod heartbeat;
pub mod identity;
pub mod initial_weights;
pub mod interrupt;
pub mod progress;
pub mod rerun;
pub mod resume;
pub mod sweep;
pub mod tasks;
pub mod training;
pub mod tuning;
