//! The restrictions on programs.

use crate::ProgramVerdict;

/// The restrictions on programs, as the self-check measured them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// Linux: namespaces of its own (user, process ids, mounts, network, IPC, host name), an empty root with the interpreter's files
    /// read-only, an unprivileged user without capabilities, the allow-list of system calls, Landlock where the kernel has it, and
    /// all limits.
    Isolated,
    /// Linux without namespaces: Landlock (no file but the interpreter's, none written), the allow-list of system calls and all limits.
    /// The program runs as the user of this process, and can query names and sizes of files.
    Filtered,
    /// The resource limits and the process group only. A program can read and write what the user can.
    LimitsOnly,
}

impl Confinement {
    /// Whether programs can read no files but the interpreter's, so that what they return can be recorded.
    pub fn denies_reading(self) -> bool {
        self != Self::LimitsOnly
    }

    /// A note for records of what was missing; none in isolation.
    pub fn note(self) -> Option<&'static str> {
        match self {
            Self::Isolated => None,
            Self::Filtered => Some("ran without namespaces"),
            Self::LimitsOnly => Some("ran under limits only, without isolation"),
        }
    }

    /// The text of a verdict for records, with the note. It has no text that the program chose where programs could read files: they could
    /// return their content.
    pub fn record(self, verdict: &ProgramVerdict) -> String {
        let verdict = match self.denies_reading() {
            true => verdict.to_string(),
            false => verdict.clone().without_program_text().to_string(),
        };
        match self.note() {
            Some(note) => format!("{verdict} ({note})"),
            None => verdict,
        }
    }
}
