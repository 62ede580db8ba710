//! Worker threads.

use harness::error::Error;

use crate::cli::arguments::ComputeOptions;

/// Starts the worker threads and returns their number.
///
/// # Errors
/// If the threads cannot be started.
pub fn start_threads(options: &ComputeOptions) -> Result<usize, Error> {
    if let Some(threads) = options.threads {
        rayon::ThreadPoolBuilder::new()
            .num_threads(usize::from(threads))
            .build_global()?;
    }
    Ok(rayon::current_num_threads())
}
