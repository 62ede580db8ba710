//! Records: rows, their provenance, and the selection of recorded runs.
//!
//! | module | contents |
//! |---|---|
//! | [`folders`] | paths of a sweep's output |
//! | [`run_row`] | the row of a run |
//! | [`match_row`], [`exposure_row`] | rows of matching targets and of exposures |
//! | [`step_recorder`] | rows of training steps, written during training |
//! | [`provenance`], [`checkout`] | commit, compiler and versions |
//! | [`leftovers`] | removal of temporary files that killed processes left |
//! | [`clock`] | time stamps of records |
//! | [`selection`] | the recorded runs that a plan selects |
//! | [`run_selector`] | the recorded runs that the arguments of `isoflop compare` select |
//! | [`trained_run`] | a recorded run with its weights and its tokenizer |
//! | [`shell`] | commands as a shell reads them |
//! | [`report_file`] | the HTML report, written atomically |

pub mod checkout;
pub mod clock;
pub mod exposure_row;
pub mod folders;
pub mod forecasts;
pub mod leftovers;
pub mod match_row;
pub mod provenance;
pub mod report_file;
pub mod run_row;
pub mod run_selector;
pub mod selection;
pub mod shell;
pub mod step_recorder;
pub mod trained_run;
pub mod trial_row;
