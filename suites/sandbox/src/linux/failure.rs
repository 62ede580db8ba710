//! Failures of a child before it executes the interpreter.

use std::io;

/// A call that failed, and its error number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure {
    /// The call.
    pub call: &'static str,
    /// The error.
    pub errno: i32,
}

/// An error if `result` is negative. The call before this one must have set the error number.
pub(super) fn check(call: &'static str, result: libc::c_long) -> Result<(), Failure> {
    match result {
        0.. => Ok(()),
        _ => Err(Failure::last(call)),
    }
}

impl Failure {
    /// The failure of the last call.
    pub fn last(call: &'static str) -> Self {
        Self {
            call,
            errno: io::Error::last_os_error().raw_os_error().unwrap_or(0),
        }
    }
}
