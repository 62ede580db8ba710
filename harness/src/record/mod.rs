//! What is on the disk: rows, their provenance, and which of the recorded runs a plan or an argument selects.
//!
//! | module | contents |
//! |---|---|
//! | [`folders`] | paths of a sweep's output |
//! | [`run_row`] | the row of a run |
//! | [`match_row`] | the row of a matching target |
//! | [`step_recorder`] | rows of training steps, written while a run trains |
//! | [`provenance`], [`checkout`] | commit, compiler and versions |
//! | [`clock`] | the date, as records write it |
//! | [`selection`] | which of the recorded runs a plan selects |
//! | [`run_selector`] | which of the recorded runs the arguments of `isoflop compare` select |
//! | [`report_file`] | the page, written whole |

pub mod checkout;
pub mod clock;
pub mod folders;
pub mod match_row;
pub mod provenance;
pub mod report_file;
pub mod run_row;
pub mod run_selector;
pub mod selection;
pub mod step_recorder;
