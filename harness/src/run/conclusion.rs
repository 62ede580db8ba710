//! Outcome of a command that ended without an error.

use crate::run::interrupt;

/// Outcome of a command that ended without an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Every selected run is finished.
    Complete,
    /// Some runs failed; their rows have the reason.
    SomeFailed,
    /// Other processes still execute some runs.
    HeldElsewhere,
    /// The command was interrupted by Ctrl-C.
    Interrupted,
}

impl Conclusion {
    /// Exit status of the process: 0, 1, 75 (BSD's EX_TEMPFAIL: try again later) or 130.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::SomeFailed => 1,
            Self::HeldElsewhere => 75,
            Self::Interrupted => interrupt::EXIT_STATUS,
        }
    }
}
