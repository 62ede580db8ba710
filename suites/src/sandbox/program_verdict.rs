//! Verdicts on programs.

use std::fmt;

/// The verdict on one program, determined outside its process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramVerdict {
    /// Every hidden call returned the expected value.
    Passed,
    /// A call returned another value.
    Wrong {
        /// The first such call.
        call: String,
        /// The value that it returned.
        given: String,
    },
    /// The source did not compile, or it or a call raised this exception.
    Raised(String),
    /// The program exited without a report.
    NoReport,
    /// The wall-clock limit was reached.
    TimedOut,
    /// The output exceeded the limit.
    TooMuchOutput,
    /// The program was terminated by this signal, due to a limit or a crash.
    Killed(i32),
    /// The child process could not be started or monitored, for this reason.
    NotRun(String),
}

impl ProgramVerdict {
    /// Whether the program is correct.
    pub fn passed(&self) -> bool {
        *self == Self::Passed
    }
}

impl fmt::Display for ProgramVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => f.write_str("passed"),
            Self::Wrong { call, given } => write!(f, "wrong: {call} gave {given}"),
            Self::Raised(error) => write!(f, "raised {error}"),
            Self::NoReport => f.write_str("ended without a report"),
            Self::TimedOut => f.write_str("timed out"),
            Self::TooMuchOutput => f.write_str("printed too much"),
            Self::Killed(signal) => write!(f, "killed by signal {signal}"),
            Self::NotRun(reason) => write!(f, "not run: {reason}"),
        }
    }
}
