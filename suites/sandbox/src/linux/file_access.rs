//! Restriction of a process to the files of the interpreter and its temporary ones, by Landlock (Linux 5.13 and later).
//!
//! Landlock also denies TCP (from Linux 6.7), and signals and abstract sockets to processes outside (from 6.12).

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::path::PathBuf;

use super::spawn::ABOVE;
use landlock::{
    ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetCreatedAttr, RulesetError,
    Scope, path_beneath_rules,
};

/// Restrictions up to this version of Landlock are used where the kernel has them.
const VERSION: ABI = ABI::V6;

/// The kernel's `landlock_path_beneath_attr`.
#[repr(C, packed)]
struct PathBeneath {
    allowed_access: u64,
    parent_fd: i32,
}

/// The kernel's `LANDLOCK_RULE_PATH_BENEATH`.
const RULE_PATH_BENEATH: libc::c_int = 1;

/// The rules, prepared before the child exists, which must not allocate.
pub(super) struct FileAccess {
    rules: OwnedFd,
    /// Rights to temporary files.
    temporary: u64,
}

impl FileAccess {
    /// Access to nothing but reading and executing `readable` and what is beneath; paths that do not exist are skipped. None if the kernel
    /// has no Landlock.
    ///
    /// # Errors
    /// If the kernel has Landlock and rejects a rule.
    pub fn only<'a>(
        readable: impl Iterator<Item = &'a PathBuf>,
    ) -> Result<Option<Self>, RulesetError> {
        let rules = Ruleset::default()
            .handle_access(AccessFs::from_all(VERSION))?
            .handle_access(AccessNet::from_all(VERSION))?
            .scope(Scope::from_all(VERSION))?
            .create()?
            .add_rules(path_beneath_rules(readable, AccessFs::from_read(VERSION)))?;
        // SAFETY: without attributes, and with this flag, the call only returns the version of Landlock.
        let version = unsafe {
            let (none, version_only) = (std::ptr::null::<u8>(), 1);
            libc::syscall(libc::SYS_landlock_create_ruleset, none, 0, version_only)
        };
        let mut temporary = AccessFs::WriteFile
            | AccessFs::ReadFile
            | AccessFs::ReadDir
            | AccessFs::RemoveDir
            | AccessFs::RemoveFile
            | AccessFs::MakeDir
            | AccessFs::MakeReg;
        if version >= 2 {
            temporary |= AccessFs::Refer;
        }
        if version >= 3 {
            temporary |= AccessFs::Truncate;
        }
        let rules: Option<OwnedFd> = rules.into();
        Ok(rules.map(|rules| Self {
            rules: above(rules),
            temporary: temporary.bits(),
        }))
    }

    /// Restricts this process and the programs that it executes, without allocation.
    ///
    /// # Arguments
    /// * `temporary`: a folder in which files may be written.
    ///
    /// # Errors
    /// If the folder cannot be opened or the kernel rejects a call.
    pub fn restrict(&self, temporary: Option<&CStr>) -> io::Result<()> {
        let rules = self.rules.as_raw_fd();
        let checked = |result: libc::c_long| match result {
            0.. => Ok(result),
            _ => Err(io::Error::last_os_error()),
        };
        // SAFETY: the strings end in zero, the structure is valid during the call, and the descriptors are open.
        unsafe {
            if let Some(folder) = temporary {
                let fd = libc::open(folder.as_ptr(), libc::O_PATH | libc::O_CLOEXEC);
                checked(fd.into())?;
                let rule = PathBeneath {
                    allowed_access: self.temporary,
                    parent_fd: fd,
                };
                let (call, kind) = (libc::SYS_landlock_add_rule, RULE_PATH_BENEATH);
                checked(libc::syscall(call, rules, kind, &raw const rule, 0))?;
            }
            let none = 0;
            checked(libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, none, none, none).into())?;
            checked(libc::syscall(libc::SYS_landlock_restrict_self, rules, 0))?;
        }
        Ok(())
    }
}

/// The same rules under a number that no descriptor of the child takes; as they are if there are too many descriptors, which the child then
/// reports.
fn above(rules: OwnedFd) -> OwnedFd {
    // SAFETY: the call has no memory effects, and the new descriptor has no other owner.
    unsafe {
        match libc::fcntl(rules.as_raw_fd(), libc::F_DUPFD_CLOEXEC, ABOVE) {
            moved @ 0.. => OwnedFd::from_raw_fd(moved),
            _ => rules,
        }
    }
}
