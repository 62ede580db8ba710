//! Runs answered code in a child process and judges it here.
//!
//! The child (`python3`, isolated mode) gets the source and the hidden arguments and reports what each call gave, in
//! a line framed by a random nonce. It never sees the expected values: these are compared in this process, so neither
//! an exit status nor anything printed can pass for success. Limits on processor time, memory, files and wall clock
//! hold the child; its whole process group is killed at the limit and after the end.
//!
//! On Linux the child also enters user and network namespaces of its own, where the system allows it, and a seccomp
//! filter refuses new processes, signals to others, sockets, System V IPC and changes to files. Elsewhere on Unix, and
//! where the kernel takes no filter, the limits and the process group remain; a child that makes a session of its own
//! can outlive its verdict there. Which of the two it is, is tried when the sandbox is opened ([`Confinement`]) and said
//! in every answer. On other systems nothing is run and the suite is skipped.

mod job;
mod limits;
#[cfg(unix)]
mod process;
mod python;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod seccomp;
mod verdict;

#[cfg(all(test, unix))]
mod attacks;

pub use limits::SandboxLimits;
pub use verdict::Verdict;

use std::path::PathBuf;

use crate::ProgramCheck;

/// Why nothing can be run.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// No interpreter.
    #[error(
        "python3 was not found on PATH or does not start ({0}); install Python 3.8 or later to score code"
    )]
    NoPython(String),
    /// Not a Unix system.
    #[error("code is run on Unix systems only")]
    Unsupported,
    /// The probe program did not give its known answer.
    #[error("the sandbox cannot run a known-good program: {0}; raise its limits")]
    Probe(String),
}

/// What holds the programs, as seen from a program that tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confinement {
    /// The limits and the system-call filter: no new processes and no changes to files.
    Full,
    /// The limits and the process group alone: the filter is not in force, or could not be shown to be.
    LimitsOnly,
}

/// An interpreter and the limits under which it runs answers.
#[derive(Debug, Clone)]
pub struct Sandbox {
    python: PathBuf,
    limits: SandboxLimits,
    network_denied: bool,
    confinement: Confinement,
}

impl Sandbox {
    /// Finds `python3` and runs known programs, which try to reach a listener of this process, to fork, and to open for
    /// writing and change the mode of a file outside.
    pub fn open(limits: &SandboxLimits) -> Result<Self, SandboxError> {
        if cfg!(not(unix)) {
            return Err(SandboxError::Unsupported);
        }
        let mut sandbox = Self {
            python: python::find()?,
            limits: limits.clone(),
            network_denied: false,
            confinement: Confinement::LimitsOnly,
        };
        sandbox.network_denied = python::network_is_denied(&sandbox)?;
        sandbox.confinement = python::confinement(&sandbox)?;
        Ok(sandbox)
    }

    /// Whether a program was seen to fail at reaching this machine's own loopback address.
    pub fn network_denied(&self) -> bool {
        self.network_denied
    }

    /// What was seen to hold a program that tried to get out.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// Runs one program and judges it.
    pub fn judge(&self, source: &str, check: &ProgramCheck) -> Verdict {
        job::judge(&self.python, &self.limits, source, check)
    }

    /// Judges many programs on as many threads as the limits say; verdicts in the order of the programs.
    pub fn judge_all(&self, programs: &[(String, &ProgramCheck)]) -> Vec<Verdict> {
        let threads = self.limits.threads.clamp(1, programs.len().max(1));
        let share = programs.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let judge = |part: &'_ [(String, &ProgramCheck)]| -> Vec<Verdict> {
                part.iter()
                    .map(|(source, check)| self.judge(source, check))
                    .collect()
            };
            let workers: Vec<_> = programs
                .chunks(share)
                .map(|part| (part.len(), scope.spawn(move || judge(part))))
                .collect();
            let join = |(len, worker): (usize, std::thread::ScopedJoinHandle<'_, Vec<Verdict>>)| {
                worker
                    .join()
                    .unwrap_or_else(|_| vec![Verdict::NotRun("the judge panicked".to_owned()); len])
            };
            workers.into_iter().flat_map(join).collect()
        })
    }
}
