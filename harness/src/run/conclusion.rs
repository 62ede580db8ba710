//! How a command that was not cut short by an error ended.

use crate::run::interrupt;

/// How a command that was not cut short by an error ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Conclusion {
    /// Every run is finished.
    Complete,
    /// Some runs failed; their rows say why.
    SomeFailed,
    /// Ctrl-C.
    Interrupted,
}

impl Conclusion {
    /// For the process.
    pub fn exit_status(self) -> u8 {
        match self {
            Self::Complete => 0,
            Self::SomeFailed => 1,
            Self::Interrupted => interrupt::EXIT_STATUS,
        }
    }
}
