//! Tests of the sandbox with adversarial programs. Where `python3` or isolation is missing each test says so and returns.

#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

#[cfg(target_os = "linux")]
mod filter;
#[cfg(target_os = "linux")]
mod holes;
#[cfg(target_os = "linux")]
mod levels;
mod limits;
mod references;
#[cfg(target_os = "linux")]
mod users;
mod verdicts;

use crate::{Policy, Program, ProgramVerdict, Sandbox, SandboxError, SandboxLimits};

/// An isolating sandbox with changed limits.
fn sandbox(change: impl FnOnce(&mut SandboxLimits)) -> Option<Sandbox> {
    let mut limits = SandboxLimits {
        // On a busy machine.
        wall_seconds: 60.0,
        ..SandboxLimits::default()
    };
    change(&mut limits);
    match Sandbox::open(&limits, Policy::Isolated) {
        Ok(sandbox) => Some(sandbox),
        Err(error @ (SandboxError::NoPython(_) | SandboxError::NotIsolated(_))) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// A program that defines `f` with these tests.
fn tested(source: &str, tests: &str) -> Program {
    Program {
        source: source.to_owned(),
        names: vec!["f".to_owned()],
        tests: tests.to_owned(),
        ..Program::default()
    }
}

/// A program whose function `f` should double its argument.
fn doubles(source: &str) -> Program {
    tested(source, "expect('f(2)', f(2), 4)\nexpect('f(5)', f(5), 10)")
}

fn raised(name: &str) -> ProgramVerdict {
    ProgramVerdict::Raised {
        name: name.to_owned(),
        line: Some(1),
    }
}

/// The name of the exception that a verdict has.
fn exception(verdict: &ProgramVerdict) -> Option<&str> {
    match verdict {
        ProgramVerdict::Raised { name, .. } => Some(name),
        _ => None,
    }
}

/// Asserts that each statement raises an exception of a refusing system, after `setup`.
fn assert_refused(sandbox: &Sandbox, setup: &str, attempts: &[&str]) {
    let mut source = format!("{setup}\nattempts = []\n");
    for attempt in attempts {
        source.push_str(&format!(
            "def attempt():\n    {attempt}\nattempts.append(attempt)\n"
        ));
    }
    source.push_str(
        "def f():\n    succeeded = []\n    for number, attempt in enumerate(attempts):\n        try:\n            attempt()\n        \
         except OSError:\n            continue\n        succeeded.append(number)\n    return succeeded",
    );
    let verdict = sandbox.judge(&tested(&source, "expect('attempts', f(), [])"));
    assert_eq!(verdict, ProgramVerdict::Passed, "{attempts:?}");
}

/// Asserts that system calls fail with an error number.
///
/// # Arguments
/// * `calls`: numbers and arguments, as in Python.
#[cfg(target_os = "linux")]
fn assert_calls_fail(sandbox: &Sandbox, calls: &[(i64, &str)], errno: i32) {
    let mut source =
        "import ctypes, struct\nc = ctypes.CDLL(None, use_errno=True)\ndef f():\n    others = []\n"
            .to_owned();
    for (call, arguments) in calls {
        source.push_str(&format!(
            "    made = c.syscall(ctypes.c_long({call}), {arguments})\n    \
             if made != -1 or ctypes.get_errno() != {errno}: others.append(({call}, made, ctypes.get_errno()))\n"
        ));
    }
    source.push_str("    return others");
    let verdict = sandbox.judge(&tested(&source, "expect('calls', f(), [])"));
    assert_eq!(verdict, ProgramVerdict::Passed);
}
