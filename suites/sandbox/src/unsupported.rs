//! The sandbox on operating systems that are no Unix: it cannot be opened.

use std::convert::Infallible;

use crate::{Confinement, Program, ProgramVerdict, SandboxError, SandboxLimits};

/// What is required of the system before a program runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Isolation.
    Isolated,
    /// The strongest restrictions that the system permits.
    Unsafe,
}

/// Programs are executed on Unix only.
pub struct Sandbox(Infallible);

impl Sandbox {
    /// # Errors
    /// Always.
    pub fn open(_: &SandboxLimits, _: Policy) -> Result<Self, SandboxError> {
        Err(SandboxError::Unsupported)
    }

    /// There is no sandbox to ask.
    pub fn confinement(&self) -> Confinement {
        match self.0 {}
    }

    /// There is no sandbox to run programs.
    pub fn judge(&self, _: &Program) -> ProgramVerdict {
        match self.0 {}
    }

    /// There is no sandbox to run programs.
    pub fn judge_all(
        &self,
        _: &[Program],
        _: &(dyn Fn(usize) + Sync),
        _: &(dyn Fn() -> bool + Sync),
    ) -> Vec<ProgramVerdict> {
        match self.0 {}
    }
}
