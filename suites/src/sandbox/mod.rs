//! Sandbox for generated code: programs run in a child process, and their results are compared in this process.
//!
//! The child (`python3`, isolated mode) receives the source and the hidden arguments and reports the result of each
//! call in a line that starts with a random nonce. It does not receive the expected values, which are compared in this
//! process, so neither an exit status nor printed text can pass a check. The child runs under limits on CPU time,
//! memory, file size and wall-clock time; its process group is killed at the wall-clock limit and after the child has
//! exited.
//!
//! On Linux the child also enters new user and network namespaces, if the system permits it. A seccomp filter denies new
//! processes and threads, signals to other processes, sockets, System V IPC, memory that the limits do not count, and
//! changes to files; Landlock denies reading files other than those of the interpreter and the system's libraries. The
//! names, sizes and times of files can still be queried. Where the kernel has no Landlock, programs can read files, and
//! what they return is not recorded. On other Unix systems, and if the kernel does not support the filter, only the
//! limits and the process group apply; a child that creates a new session can then continue to run after its verdict.
//! Opening the sandbox measures which case applies ([`Confinement`]), and it is recorded with every answer. On other
//! operating systems no program is run and the suite is skipped.

mod error;
#[cfg(target_os = "linux")]
mod file_access;
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

use crate::ProgramCheck;

/// A Python interpreter and the limits of the programs that it runs.
#[derive(Debug, Clone)]
pub struct Sandbox {
    python: interpreter::Interpreter,
    limits: SandboxLimits,
    network_denied: bool,
    confinement: Confinement,
}

impl Sandbox {
    /// Locates `python3` and runs probe programs, which attempt to connect to a listener of this process and each action
    /// that [`Confinement::Full`] excludes.
    ///
    /// # Errors
    /// If the operating system is not a Unix, there is no interpreter, or a probe program does not run under the
    /// limits.
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

    /// Whether the probe program could not connect to the loopback address when the sandbox was opened.
    pub fn network_denied(&self) -> bool {
        self.network_denied
    }

    /// The restrictions on programs, as measured when the sandbox was opened.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// Runs one program and returns its verdict.
    pub fn judge(&self, source: &str, check: &ProgramCheck) -> ProgramVerdict {
        job::judge(&self.python, &self.limits, source, check)
    }

    /// Runs programs on [`SandboxLimits::threads`] threads and returns their verdicts, in the order of the programs.
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
