//! Runs answered code in a child process and judges its results in this process.
//!
//! The child (`python3`, isolated mode) receives the source and the hidden arguments and reports the result of each call
//! in a line that starts with a random nonce. It has no access to the expected values: these are compared in this
//! process, so neither an exit status nor printed text can count as success. The child runs under limits on processor
//! time, memory, files and wall clock; its whole process group is killed at the wall-clock limit and after it has ended.
//!
//! On Linux the child also enters user and network namespaces of its own, where the system allows it, and a seccomp
//! filter denies new processes, signals to others, sockets, System V IPC and changes to files. On other Unix systems, and
//! where the kernel does not support the filter, the limits and the process group remain; a child that starts a session
//! of its own can continue to run after its verdict there. Opening the sandbox tests which of the two holds
//! ([`Confinement`]), and every answer records it. On other systems nothing is run and the suite is skipped.

mod error;
mod interpreter;
mod job;
mod limits;
mod probes;
#[cfg(unix)]
mod process;
mod program_verdict;
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
mod syscall_filter;

#[cfg(all(test, unix))]
mod attacks;

pub use error::SandboxError;
pub use limits::SandboxLimits;
pub use probes::Confinement;
pub use program_verdict::ProgramVerdict;

use std::path::PathBuf;

use crate::ProgramCheck;

/// An interpreter and the limits under which it runs programs.
#[derive(Debug, Clone)]
pub struct Sandbox {
    python: PathBuf,
    limits: SandboxLimits,
    network_denied: bool,
    confinement: Confinement,
}

impl Sandbox {
    /// Finds `python3` and runs known programs, which try to connect to a listener of this process, to fork, and to open
    /// for writing and change the mode of a file outside.
    ///
    /// # Errors
    ///
    /// The operating system is not a Unix, there is no interpreter, or a known program does not run under the limits.
    pub fn open(limits: &SandboxLimits) -> Result<Self, SandboxError> {
        if cfg!(not(unix)) {
            return Err(SandboxError::Unsupported);
        }
        let sandbox = Self {
            python: interpreter::find()?,
            limits: limits.clone(),
            network_denied: false,
            confinement: Confinement::LimitsOnly,
        };
        let judge = |source: &str, check: &ProgramCheck| sandbox.judge(source, check);
        let network_denied = probes::network_is_denied(judge)?;
        let confinement = probes::confinement(judge)?;
        Ok(Self {
            network_denied,
            confinement,
            ..sandbox
        })
    }

    /// Whether a sandboxed program failed to connect to this machine's loopback address when the sandbox was opened.
    pub fn network_denied(&self) -> bool {
        self.network_denied
    }

    /// What restricts the programs, as measured when the sandbox was opened.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// Runs one program and judges it.
    pub fn judge(&self, source: &str, check: &ProgramCheck) -> ProgramVerdict {
        job::judge(&self.python, &self.limits, source, check)
    }

    /// Judges many programs, on [`SandboxLimits::threads`] threads; verdicts in the order of the programs.
    pub fn judge_all(&self, programs: &[(String, &ProgramCheck)]) -> Vec<ProgramVerdict> {
        let threads = self.limits.threads.clamp(1, programs.len().max(1));
        let share = programs.len().div_ceil(threads).max(1);
        std::thread::scope(|scope| {
            let judge = |part: &'_ [(String, &ProgramCheck)]| -> Vec<ProgramVerdict> {
                part.iter()
                    .map(|(source, check)| self.judge(source, check))
                    .collect()
            };
            let workers: Vec<_> = programs
                .chunks(share)
                .map(|part| (part.len(), scope.spawn(move || judge(part))))
                .collect();
            let join = |(len, worker): (
                usize,
                std::thread::ScopedJoinHandle<'_, Vec<ProgramVerdict>>,
            )| {
                worker.join().unwrap_or_else(|_| {
                    vec![ProgramVerdict::NotRun("the judge panicked".to_owned()); len]
                })
            };
            workers.into_iter().flat_map(join).collect()
        })
    }
}
