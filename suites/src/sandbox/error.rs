//! Errors of opening the sandbox.

/// The reason why the sandbox cannot run programs.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No Python interpreter was found.
    #[error(
        "python3 was not found on PATH or does not start ({0}); install Python 3.8 or later to score code"
    )]
    NoPython(String),
    /// The operating system is not a Unix.
    #[error("code is executed on Unix only; evaluate on Linux or macOS")]
    Unsupported,
    /// A probe program did not return its known result.
    #[error("the sandbox cannot run a known-good program: {0}; raise its limits")]
    Probe(String),
}
