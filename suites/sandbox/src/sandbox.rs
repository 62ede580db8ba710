//! The sandbox: opened once, attacked by its self-check, then judging programs in parallel.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::confinement::Confinement;
use crate::error::SandboxError;
use crate::interpreter::{self, Interpreter};
use crate::limits::SandboxLimits;
use crate::{Launcher, Program, ProgramVerdict, judge, self_check};

/// What is required of the system before a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Isolation: else nothing runs.
    Isolated,
    /// The strongest restrictions that the system permits, which may be limits alone.
    Unsafe,
}

/// A Python interpreter, the restrictions of the programs that it runs, and their limits.
pub struct Sandbox {
    launcher: Launcher,
    limits: SandboxLimits,
    confinement: Confinement,
}

impl Sandbox {
    /// Locates `python3`, runs a known-good program, and attacks the sandbox.
    ///
    /// # Errors
    /// If the operating system is not a Unix, there is no interpreter, the known-good program does not pass, or programs are not isolated and
    /// `policy` requires it.
    pub fn open(limits: &SandboxLimits, policy: Policy) -> Result<Self, SandboxError> {
        let python = interpreter::find()?;
        let levels: &[Confinement] = match policy {
            Policy::Isolated => &[Confinement::Isolated],
            Policy::Unsafe => &[
                Confinement::Isolated,
                Confinement::Filtered,
                Confinement::LimitsOnly,
            ],
        };
        let mut reason = String::new();
        for level in levels {
            match Self::with(&python, limits, *level)? {
                Ok(sandbox) => return Ok(sandbox),
                Err(problem) => reason = problem,
            }
        }
        Err(SandboxError::NotIsolated(reason))
    }

    /// The sandbox with these restrictions, or the reason why the system does not have them.
    ///
    /// # Errors
    /// If the processes run and the known-good program does not pass.
    pub(crate) fn with(
        python: &Interpreter,
        limits: &SandboxLimits,
        confinement: Confinement,
    ) -> Result<Result<Self, String>, SandboxError> {
        let launcher = match Launcher::prepare(python, limits, confinement) {
            Ok(launcher) => launcher,
            Err(error) => return Ok(Err(error.to_string())),
        };
        let sandbox = Self {
            launcher,
            limits: limits.clone(),
            confinement,
        };
        match self_check::known_good(|program| sandbox.judge(program)) {
            ProgramVerdict::Passed => {}
            ProgramVerdict::NotRun(reason) if confinement != Confinement::LimitsOnly => {
                return Ok(Err(reason));
            }
            other => return Err(SandboxError::KnownGood(other.to_string())),
        }
        if confinement != Confinement::LimitsOnly {
            let judge = |program: &Program| sandbox.judge(program);
            if let Err(reason) = self_check::attack(judge, limits, confinement) {
                return Ok(Err(reason));
            }
        }
        Ok(Ok(sandbox))
    }

    /// The restrictions on programs, as measured when the sandbox was opened.
    pub fn confinement(&self) -> Confinement {
        self.confinement
    }

    /// Runs one program with its tests and returns its verdict.
    pub fn judge(&self, program: &Program) -> ProgramVerdict {
        judge::judge(&self.launcher, &self.limits, program, &|| false)
    }

    /// Runs programs on [`SandboxLimits::threads`] threads and returns their verdicts, in the order of the programs.
    ///
    /// # Arguments
    /// * `judged`: called after each program with the number that has been judged.
    /// * `stops`: whether to end early. Programs that run are then killed, and all without a verdict are [`ProgramVerdict::NotRun`].
    pub fn judge_all(
        &self,
        programs: &[Program],
        judged: &(dyn Fn(usize) + Sync),
        stops: &(dyn Fn() -> bool + Sync),
    ) -> Vec<ProgramVerdict> {
        let verdicts = Mutex::new(vec![judge::interrupted(); programs.len()]);
        let (next, done) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let work = || {
            while !stops()
                && let place = next.fetch_add(1, Ordering::Relaxed)
                && let Some(program) = programs.get(place)
            {
                let verdict = judge::judge(&self.launcher, &self.limits, program, stops);
                if let Ok(mut verdicts) = verdicts.lock() {
                    verdicts[place] = verdict;
                }
                judged(done.fetch_add(1, Ordering::Relaxed) + 1);
            }
        };
        let threads = self.limits.threads.clamp(1, programs.len().max(1));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(work);
            }
        });
        verdicts
            .into_inner()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
