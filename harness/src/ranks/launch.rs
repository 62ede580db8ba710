//! The ranks that this process was started with, and the option `--ranks`.

use std::sync::Arc;

use collectives::{Collectives, Launched, OneRank, ranks_of_environment};

use crate::error::Error;

/// The ranks of this process.
///
/// # Arguments
/// * `wanted`: the option `--ranks`: none for as many as were started; 1 for a process that trains on its own, whatever else was
///   started with it.
///
/// # Errors
/// If other processes were started with this one and cannot be its ranks, or not as many as wanted.
pub fn started_ranks(wanted: Option<u16>) -> Result<Arc<dyn Collectives>, Error> {
    let started = Launched::of_environment().map_or(1, |launched| launched.processes);
    match wanted.map(usize::from) {
        Some(1) => Ok(OneRank::shared()),
        Some(wanted) if wanted != started => Err(Error::Argument {
            argument: format!("--ranks {wanted}"),
            problem: match started {
                1 => "was given to a process that was started alone".to_owned(),
                _ => format!("was given to one of {started} processes"),
            },
            remedy: format!("start it by `mpirun -n {wanted}`"),
        }),
        _ => Ok(ranks_of_environment()?),
    }
}

/// Checks that this process was started alone.
///
/// # Errors
/// If it was not.
pub fn check_started_alone() -> Result<(), Error> {
    match Launched::of_environment() {
        None => Ok(()),
        Some(launched) => Err(Error::Argument {
            argument: "this command".to_owned(),
            problem: format!(
                "was started as {} processes by {}; only `isoflop sweep` and `isoflop tune` are executed by several ranks",
                launched.processes, launched.launcher
            ),
            remedy: "start it alone".to_owned(),
        }),
    }
}
