//! Verdicts on programs.

use std::fmt;

/// Names of frequent exceptions of Python, which are no text of the program.
const BUILT_IN: &[&str] = &[
    "AssertionError",
    "AttributeError",
    "EOFError",
    "ImportError",
    "IndentationError",
    "IndexError",
    "KeyError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "RecursionError",
    "RuntimeError",
    "StopIteration",
    "SyntaxError",
    "SystemExit",
    "TabError",
    "TypeError",
    "UnboundLocalError",
    "ValueError",
    "ZeroDivisionError",
];

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
    /// The verdict without text that the program chose. A program that can read files can return their content.
    pub(crate) fn without_program_text(self) -> Self {
        match self {
            Self::Wrong { call, .. } => Self::Wrong {
                call,
                given: "another value".to_owned(),
            },
            Self::Raised(name) if !BUILT_IN.contains(&name.as_str()) => {
                Self::Raised("an exception".to_owned())
            }
            other => other,
        }
    }

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
