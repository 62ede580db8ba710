//! The judgement of one program.

use std::fmt;

/// The judgement of one program, made outside its process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProgramVerdict {
    /// Every hidden call gave the expected value.
    Passed,
    /// A call gave another value.
    Wrong {
        /// The first such call.
        call: String,
        /// The value that it gave.
        given: String,
    },
    /// The source did not compile, or it or a call raised.
    Raised(String),
    /// The program ended without a report.
    NoReport,
    /// The wall-clock limit was reached.
    TimedOut,
    /// The program printed more than the limit.
    TooMuchOutput,
    /// A signal ended the program: a limit, or a crash.
    Killed(i32),
    /// The child could not be started or observed.
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
