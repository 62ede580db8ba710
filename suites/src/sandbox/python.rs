//! Finding the interpreter, and what it can reach from inside.

use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use super::{Confinement, Sandbox, SandboxError, Verdict};
use crate::{ProgramCheck, Value};

/// The interpreter's own path. `python3` on PATH may be a launcher script that needs an environment, which the
/// sandbox clears.
pub(super) fn find() -> Result<PathBuf, SandboxError> {
    let script = "import sys; assert sys.version_info >= (3, 8), 'too old'; print(sys.executable)";
    let output = Command::new("python3")
        .args(["-I", "-S", "-c", script])
        .stdin(Stdio::null())
        .output();
    let output = output.map_err(|error| SandboxError::NoPython(error.to_string()))?;
    let path = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || path.is_empty() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        let last = complaint
            .lines()
            .last()
            .unwrap_or("it prints no path")
            .to_owned();
        return Err(SandboxError::NoPython(last));
    }
    Ok(PathBuf::from(path))
}

/// Tries to reach a listener of this process from a sandboxed program.
pub(super) fn network_is_denied(sandbox: &Sandbox) -> Result<bool, SandboxError> {
    let listener = TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr().map(|at| (at.port(), listener)));
    // Without a listener nothing can be shown, so nothing is claimed.
    let port = listener.as_ref().map_or(0, |(port, _)| *port);
    let source = "def f(port):\n    try:\n        import socket\n        socket.create_connection(('127.0.0.1', port), 1).close()\n        return 1\n    except Exception:\n        return 0\n";
    let check = ProgramCheck {
        function: "f".to_owned(),
        arguments: vec![Value::Integer(i64::from(port))],
        expected: vec![Value::Integer(0)],
    };
    match sandbox.judge(source, &check) {
        Verdict::Passed => Ok(listener.is_ok()),
        Verdict::Wrong { .. } => Ok(false),
        other => Err(SandboxError::Probe(other.to_string())),
    }
}

/// How many of three things the filter fails to refuse: a new process, opening a file for writing, changing its mode.
/// Any other failure than its "not permitted" counts as not refused: a limit or a missing file shows nothing.
pub(super) const ATTEMPTS: &str = "import errno, os
def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
def refused(attempt):
    try:
        attempt()
    except OSError as error:
        return error.errno == errno.EPERM
    return False
def f(path):
    attempts = [fork, lambda: os.close(os.open(path, os.O_WRONLY)), lambda: os.chmod(path, 0o600)]
    return sum(not refused(attempt) for attempt in attempts)
";

/// Tries what the filter should refuse from a sandboxed program.
pub(super) fn confinement(sandbox: &Sandbox) -> Result<Confinement, SandboxError> {
    // Without a file of this process nothing can be shown, so nothing is claimed.
    let Ok(file) = tempfile::NamedTempFile::new() else {
        return Ok(Confinement::LimitsOnly);
    };
    let check = ProgramCheck {
        function: "f".to_owned(),
        arguments: vec![Value::Text(file.path().to_string_lossy().into_owned())],
        expected: vec![Value::Integer(0)],
    };
    match sandbox.judge(ATTEMPTS, &check) {
        Verdict::Passed => Ok(Confinement::Full),
        Verdict::Wrong { .. } => Ok(Confinement::LimitsOnly),
        other => Err(SandboxError::Probe(other.to_string())),
    }
}
