//! Errors of opening the sandbox.

/// The reason why the sandbox runs no program.
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
    /// A known-good program did not pass.
    #[error(
        "the sandbox cannot run a known-good program: {0}; raise its limits, or run less at once"
    )]
    KnownGood(String),
    /// This system cannot isolate programs, or an attack of the self-check succeeded.
    #[error(
        "this system does not isolate programs ({0}); run where namespaces, seccomp and Landlock are permitted (Linux 5.13 and later on x86-64 or \
         AArch64), or accept the risk with --unsafe"
    )]
    NotIsolated(String),
}
