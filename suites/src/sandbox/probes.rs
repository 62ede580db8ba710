//! Probe programs, which measure the restrictions on sandboxed programs.

use std::net::TcpListener;

use super::error::SandboxError;
use super::program_verdict::ProgramVerdict;
use crate::{ProgramCheck, PythonValue};

/// The restrictions on programs, as measured by a probe program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// The resource limits, the system-call filter and Landlock: no new processes, no signals through descriptors, no
    /// memory that the limits do not count, no changes to files, and no reading of other files than the interpreter's.
    Full,
    /// As [`Self::Full`], but programs can read every file that the user can read: Landlock is not active.
    FilesReadable,
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

/// A program that returns the numbers of the actions that are not blocked: creating a process, opening a file for
/// writing, changing its mode, creating memory that no limit counts, choosing who receives a descriptor's signals, in
/// two ways, and reading a file. An error other than the filter's `EPERM`, or Landlock's `EACCES` for reading, counts as
/// not blocked, because a limit or a missing file is inconclusive.
pub(super) const ATTEMPTS: &str = "import errno, os
def fork():
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
def own():
    import fcntl
    fcntl.fcntl(0, fcntl.F_SETOWN, os.getpid())
def notify():
    import array, fcntl
    fcntl.ioctl(0, 0x5452, array.array('i', [0]))
def blocked(attempt, *errors):
    try:
        attempt()
    except OSError as error:
        return error.errno in errors
    except Exception:
        pass
    return False
def f(path):
    attempts = [fork, lambda: os.close(os.open(path, os.O_WRONLY)), lambda: os.chmod(path, 0o600),
                lambda: os.close(os.memfd_create('probe')), own, notify]
    open_to = [not blocked(attempt, errno.EPERM) for attempt in attempts]
    open_to.append(not blocked(lambda: os.close(os.open(path, os.O_RDONLY)), errno.EPERM, errno.EACCES))
    return [number for number, is_open in enumerate(open_to) if is_open]
";
/// The result of [`ATTEMPTS`] if only reading is not blocked.
const READING_ALONE: &str = "[6]";

/// The restrictions that the actions of [`ATTEMPTS`] meet.
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
        expected: vec![PythonValue::List(Vec::new())],
    };
    match judge(ATTEMPTS, &check) {
        ProgramVerdict::Passed => Ok(Confinement::Full),
        ProgramVerdict::Wrong { given, .. } if given == READING_ALONE => {
            Ok(Confinement::FilesReadable)
        }
        ProgramVerdict::Wrong { .. } => Ok(Confinement::LimitsOnly),
        other => Err(SandboxError::Probe(other.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recorded_restrictions_are_those_of_the_weakest_action() {
        let measured = |given: &str| {
            let call = String::new();
            let given = given.to_owned();
            confinement(|_, _| ProgramVerdict::Wrong {
                call: call.clone(),
                given: given.clone(),
            })
        };
        assert_eq!(
            confinement(|_, _| ProgramVerdict::Passed).ok(),
            Some(Confinement::Full)
        );
        assert_eq!(measured("[6]").ok(), Some(Confinement::FilesReadable));
        for given in ["[0]", "[5]", "[5, 6]", "[0, 1, 2, 3, 4, 5, 6]"] {
            assert_eq!(
                measured(given).ok(),
                Some(Confinement::LimitsOnly),
                "{given}"
            );
        }
        assert!(confinement(|_, _| ProgramVerdict::TimedOut).is_err());
    }
}
