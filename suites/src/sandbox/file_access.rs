//! Restriction of the child process to the files of the interpreter, by Landlock (Linux 5.13 and later).
//!
//! Landlock also denies TCP (from Linux 6.7), and signals and abstract sockets to processes outside (from 6.12).
//! Without Landlock in the kernel nothing is restricted here; the probe program of the sandbox measures the effect.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::PathBuf;

use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    Scope, path_beneath_rules,
};

/// Restrictions up to this version of Landlock are used where the kernel has them.
const VERSION: ABI = ABI::V6;

/// The rules, prepared before the fork, after which the child must not allocate.
pub(super) struct FileAccess(Option<OwnedFd>);

impl FileAccess {
    /// Access to nothing but reading and executing `readable` and what is beneath; paths that do not exist are skipped.
    ///
    /// # Errors
    /// If the kernel has Landlock and rejects a rule.
    pub fn only(readable: &[PathBuf]) -> Result<Self, RulesetError> {
        let rules = Ruleset::default()
            .handle_access(AccessFs::from_all(VERSION))?
            .handle_access(AccessNet::from_all(VERSION))?
            .scope(Scope::from_all(VERSION))?
            .create()?
            .add_rules(path_beneath_rules(readable, AccessFs::from_read(VERSION)))?;
        Ok(Self(rules.into()))
    }

    /// Restricts this process and the programs that it executes, without allocation.
    pub fn restrict(&self) {
        let Some(rules) = &self.0 else { return };
        // SAFETY: the calls have no memory effects; the descriptor is open. An error leaves the process unrestricted,
        // which the probe program measures.
        unsafe {
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
            libc::syscall(libc::SYS_landlock_restrict_self, rules.as_raw_fd(), 0);
        }
    }
}
