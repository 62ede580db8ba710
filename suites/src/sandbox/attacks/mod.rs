//! Tests of the sandbox with adversarial programs. Without `python3` each test prints a message and returns.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod filter;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod holes;
mod limits;
mod verdicts;

use super::{ProgramVerdict, Sandbox, SandboxError, SandboxLimits};
use crate::{ProgramCheck, PythonValue};

#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
fn sandbox(change: impl FnOnce(&mut SandboxLimits)) -> Option<Sandbox> {
    let mut limits = SandboxLimits::default();
    change(&mut limits);
    match Sandbox::open(&limits) {
        Ok(sandbox) => Some(sandbox),
        Err(error @ SandboxError::NoPython(_)) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// The restrictions that this kernel makes possible.
#[cfg(target_os = "linux")]
fn expected_confinement() -> super::Confinement {
    // SAFETY: without attributes, and with this flag, the call only returns the version of Landlock.
    let version = unsafe {
        let (none, version_only) = (std::ptr::null::<u8>(), 1);
        libc::syscall(libc::SYS_landlock_create_ruleset, none, 0, version_only)
    };
    if version >= 1 {
        super::Confinement::Full
    } else {
        super::Confinement::FilesReadable
    }
}

/// The check of a function that doubles its argument.
fn doubles() -> ProgramCheck {
    ProgramCheck {
        function: "f".to_owned(),
        arguments: vec![PythonValue::Integer(2), PythonValue::Integer(5)],
        expected: vec![PythonValue::Integer(4), PythonValue::Integer(10)],
    }
}

fn verdict(source: &str) -> Option<ProgramVerdict> {
    Some(sandbox(|_| ())?.judge(source, &doubles()))
}
