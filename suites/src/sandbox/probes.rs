//! Probe programs, which measure the restrictions on sandboxed programs.

use std::net::TcpListener;

use super::error::SandboxError;
use super::program_verdict::ProgramVerdict;
use crate::{ProgramCheck, PythonValue};

/// The restrictions on programs, as measured by a probe program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// The resource limits and the system-call filter: no new processes and no changes to files.
    Full,
    /// The resource limits and the process group only: the filter is not active, or its effect could not be measured.
    LimitsOnly,
}

/// Whether a sandboxed program cannot connect to a listener of this process.
///
/// # Errors
/// If the probe program does not run.
pub(super) fn network_is_denied(
    judge: impl Fn(&str, &ProgramCheck) -> ProgramVerdict,
) -> Result<bool, SandboxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| {
        listener
            .local_addr()
            .map(|address| (address.port(), listener))
    });
    // Without a listener a failed connection is inconclusive, so the network is considered reachable.
    let port = listener.as_ref().map_or(0, |(port, _)| *port);
    let source = "def f(port):\n    try:\n        import socket\n        socket.create_connection(('127.0.0.1', port), 1).close()\n        return 1\n    except Exception:\n        return 0\n";
    let check = ProgramCheck {
        function: "f".to_owned(),
        arguments: vec![PythonValue::Integer(i64::from(port))],
        expected: vec![PythonValue::Integer(0)],
    };
    match judge(source, &check) {
        ProgramVerdict::Passed => Ok(listener.is_ok()),
        ProgramVerdict::Wrong { .. } => Ok(false),
        other => Err(SandboxError::Probe(other.to_string())),
    }
}

/// A program that returns how many of three actions the filter does not block: creating a process, opening a file for
/// writing, and changing its mode. An error other than `EPERM` counts as not blocked, because a limit or a missing file
/// is inconclusive.
pub(super) const ATTEMPTS: &str = "import errno, os
def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
def blocked(attempt):
    try:
        attempt()
    except OSError as error:
        return error.errno == errno.EPERM
    return False
def f(path):
    attempts = [fork, lambda: os.close(os.open(path, os.O_WRONLY)), lambda: os.chmod(path, 0o600)]
    return sum(not blocked(attempt) for attempt in attempts)
";

/// Full confinement if the filter blocks all actions of [`ATTEMPTS`].
///
/// # Errors
/// If the probe program does not run.
pub(super) fn confinement(
    judge: impl Fn(&str, &ProgramCheck) -> ProgramVerdict,
) -> Result<Confinement, SandboxError> {
    // Without a file the effect of the filter cannot be measured.
    let Ok(file) = tempfile::NamedTempFile::new() else {
        return Ok(Confinement::LimitsOnly);
    };
    let check = ProgramCheck {
        function: "f".to_owned(),
        arguments: vec![PythonValue::Text(
            file.path().to_string_lossy().into_owned(),
        )],
        expected: vec![PythonValue::Integer(0)],
    };
    match judge(ATTEMPTS, &check) {
        ProgramVerdict::Passed => Ok(Confinement::Full),
        ProgramVerdict::Wrong { .. } => Ok(Confinement::LimitsOnly),
        other => Err(SandboxError::Probe(other.to_string())),
    }
}
