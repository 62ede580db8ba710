//! Worker threads, as given.

use harness::error::Error;

use crate::cli::arguments::Machine;

/// Starts the worker threads and returns their number.
pub fn start_threads(machine: &Machine) -> Result<usize, Error> {
    if let Some(threads) = machine.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()?;
    }
    Ok(rayon::current_num_threads())
}
