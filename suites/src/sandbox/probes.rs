//! Probes of what a sandboxed program can reach: each runs a program that tries.

use std::net::TcpListener;

use super::error::SandboxError;
use super::program_verdict::ProgramVerdict;
use crate::{ProgramCheck, PythonValue};

/// What restricts the programs, as measured by a program that tried to break out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// The limits and the system-call filter: no new processes and no changes to files.
    Full,
    /// The limits and the process group alone: the filter is not in force, or its effect could not be shown.
    LimitsOnly,
}

/// Whether a sandboxed program fails to connect to a listener of this process.
pub(super) fn network_is_denied(
    judge: impl Fn(&str, &ProgramCheck) -> ProgramVerdict,
) -> Result<bool, SandboxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).and_then(|listener| {
        listener
            .local_addr()
            .map(|address| (address.port(), listener))
    });
    // Without a listener a failed connection proves nothing, so the network counts as reachable.
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

/// The number of three actions that the filter does not block: a new process, opening a file for writing, changing its
/// mode. Any error other than "not permitted" counts as not blocked: a limit or a missing file proves nothing.
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

/// Whether the filter blocks a sandboxed program that makes the three attempts.
pub(super) fn confinement(
    judge: impl Fn(&str, &ProgramCheck) -> ProgramVerdict,
) -> Result<Confinement, SandboxError> {
    // Without a file to attack the filter cannot be shown to work.
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
