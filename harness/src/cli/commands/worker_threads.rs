//! Worker threads.

use harness::error::Error;

use crate::cli::arguments::ComputeOptions;

/// Starts the worker threads, of which the calling thread is one, and returns their number.
///
/// A thread that is not one of them sleeps while they compute, and wakes for the next operation: in small models, whose
/// operations take microseconds, that was a sixth of the time of a step (docs/log.md, 2026-11-28).
///
/// # Errors
/// If the threads cannot be started.
pub fn start_threads(options: &ComputeOptions) -> Result<usize, Error> {
    let mut threads = rayon::ThreadPoolBuilder::new().use_current_thread();
    if let Some(number) = options.threads {
        threads = threads.num_threads(usize::from(number));
    }
    threads.build_global()?;
    Ok(rayon::current_num_threads())
}
