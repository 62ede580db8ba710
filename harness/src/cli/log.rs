//! Debug logs on standard error, off unless `ISOFLOP_LOG` names a level: error, warn, info, debug or trace.

use tracing::level_filters::LevelFilter;

/// Starts logging at the level of `ISOFLOP_LOG`; off if it is unset or invalid.
pub fn start() {
    let level = std::env::var("ISOFLOP_LOG")
        .ok()
        .and_then(|level| level.parse().ok());
    tracing_subscriber::fmt()
        .with_max_level(level.unwrap_or(LevelFilter::OFF))
        .with_writer(std::io::stderr)
        // A log that cannot be written must not end the process.
        .log_internal_errors(false)
        .init();
}
