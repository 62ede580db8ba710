//! What the commands that train do on several ranks.

use std::sync::Arc;

use collectives::Collectives;
use harness::error::Error;
use harness::run::conclusion::Conclusion;
use harness::run::interrupt::Interrupt;

use super::worker_threads::start_threads;
use crate::cli::arguments::ComputeOptions;

/// Trains what rank 0 says, until it ends.
///
/// # Errors
/// If the threads or the handler of signals cannot be started.
pub fn follow(ranks: &Arc<dyn Collectives>, compute: &ComputeOptions) -> Result<Conclusion, Error> {
    start_threads(compute)?;
    let interrupt = Interrupt::listen_quietly()?;
    harness::ranks::follow::follow(ranks, &compute.device.open(), &interrupt);
    Ok(Conclusion::Complete)
}

/// Checks that several ranks are not asked to start further processes.
///
/// # Errors
/// If they are.
pub fn check_one_process(ranks: &Arc<dyn Collectives>, jobs: u16) -> Result<(), Error> {
    if ranks.ranks() == 1 || jobs == 1 {
        return Ok(());
    }
    Err(Error::Argument {
        argument: format!("--jobs {jobs}"),
        problem: format!(
            "was given to {} ranks, which train one run at a time",
            ranks.ranks()
        ),
        remedy: "leave one of the two out".to_owned(),
    })
}
