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
    /// All tests passed.
    Passed,
    /// A call returned another value than expected.
    Wrong {
        /// The first such call.
        call: String,
        /// The value that it returned.
        given: String,
    },
    /// The source did not compile, or it or a test raised an exception.
    Raised {
        /// The exception's class.
        name: String,
        /// The line of the tests; none if the source itself raised it.
        line: Option<u32>,
    },
    /// The program ended before the tests did.
    Ended,
    /// The process of the tests ended without a report.
    NoReport,
    /// The source is longer than [`MAX_SOURCE`](crate::MAX_SOURCE) bytes, and was not run.
    TooLong,
    /// The wall-clock limit was reached.
    TimedOut,
    /// The output exceeded the limit.
    TooMuchOutput,
    /// The memory of a process, its page tables included, exceeded the limit.
    TooMuchMemory,
    /// The program was terminated by this signal, due to a limit or a crash.
    Killed(i32),
    /// The processes could not be started or monitored, for this reason.
    NotRun(String),
}

impl ProgramVerdict {
    /// The verdict without text that the program chose. A program that can read files can return their content.
    pub fn without_program_text(self) -> Self {
        match self {
            Self::Wrong { call, .. } => Self::Wrong {
                call,
                given: "another value".to_owned(),
            },
            Self::Raised { name, line } if !BUILT_IN.contains(&name.as_str()) => Self::Raised {
                name: "an exception".to_owned(),
                line,
            },
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
            Self::Raised { name, line: None } => write!(f, "raised {name}"),
            Self::Raised {
                name,
                line: Some(line),
            } => write!(f, "raised {name} in line {line} of the tests"),
            Self::Ended => f.write_str("ended before the tests"),
            Self::NoReport => f.write_str("ended without a report"),
            Self::TooLong => f.write_str("too long to be run"),
            Self::TimedOut => f.write_str("timed out"),
            Self::TooMuchOutput => f.write_str("printed too much"),
            Self::TooMuchMemory => f.write_str("used too much memory"),
            Self::Killed(signal) => write!(f, "killed by signal {signal}"),
            Self::NotRun(reason) => write!(f, "not run: {reason}"),
        }
    }
}
