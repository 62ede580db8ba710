//! Errors that keep every program from running.

/// Why no program can be run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// There is no interpreter.
    #[error(
        "python3 was not found on PATH or does not start ({0}); install Python 3.8 or later to score code"
    )]
    NoPython(String),
    /// The operating system is not a Unix.
    #[error("code is run on Unix systems only")]
    Unsupported,
    /// The probe program did not give its known result.
    #[error("the sandbox cannot run a known-good program: {0}; raise its limits")]
    Probe(String),
}
