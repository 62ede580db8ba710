//! Runs of a sweep as jobs of a cluster.
//!
//! | module | contents |
//! |---|---|
//! | [`resources`] | what a run requires of a machine, rounded so that runs share jobs |
//! | [`groups`] | runs of equal requirements, in arrays that a scheduler accepts |
//! | [`template`] | the templates of jobs, and what they are filled with |
//!
//! A job executes its runs by `isoflop sweep --run`. Claims keep jobs from executing a run twice, and records say which runs
//! are missing: no file of a job is read again.

pub mod groups;
pub mod resources;
pub mod template;
