//! The user and the capabilities of sandboxed processes.

use std::ffi::{CStr, CString};

use super::failure::{Failure, check};

/// The user to which root drops: above the users that systems create, below those that containers and services get.
pub(super) const UNPRIVILEGED: u32 = 60_700;
/// Its number, and that of every other user, inside.
const INSIDE: u32 = 1000;

/// Who runs the programs: a user of a namespace of its own, which is a user without privileges outside.
pub(super) struct Credentials {
    /// Whether this process is root and drops to [`UNPRIVILEGED`].
    pub drops: bool,
    users: CString,
    groups: CString,
}

/// The kernel's `__user_cap_header_struct`.
#[repr(C)]
struct CapabilityHeader {
    version: u32,
    pid: libc::c_int,
}

/// The kernel's `_LINUX_CAPABILITY_VERSION_3`, which has two triples of 32 bits.
const CAPABILITY_VERSION: u32 = 0x2008_0522;

impl Credentials {
    /// The credentials, prepared before the child exists.
    pub fn prepare() -> Self {
        // SAFETY: the calls only return numbers.
        let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
        let drops = user == 0;
        let map = |outside| {
            let outside = if drops { UNPRIVILEGED } else { outside };
            CString::new(format!("{INSIDE} {outside} 1")).unwrap_or_default()
        };
        Self {
            drops,
            users: map(user),
            groups: map(group),
        }
    }

    /// Maps the user of the calling process, which is in a new user namespace.
    ///
    /// # Arguments
    /// * `process`: a descriptor of `/proc/self`.
    ///
    /// # Errors
    /// If the kernel permits no mapping.
    pub fn map(&self, process: libc::c_int) -> Result<(), Failure> {
        write(process, c"setgroups", c"deny")?;
        write(process, c"gid_map", &self.groups)?;
        write(process, c"uid_map", &self.users)
    }

    /// Drops from root to [`UNPRIVILEGED`] and enters a user namespace, which owns none of the other namespaces.
    ///
    /// # Arguments
    /// * `process`: a descriptor of `/proc/self`.
    ///
    /// # Errors
    /// If the user does not exist in the container of this process, or the kernel permits no user namespaces.
    pub fn drop_root(&self, process: libc::c_int) -> Result<(), Failure> {
        let user = libc::c_long::from(UNPRIVILEGED);
        // The raw calls, because those of the C library act on the threads of the parent, which are not here.
        // SAFETY: the calls have no memory effects; the pointer of an empty list is not read.
        unsafe {
            let none = std::ptr::null::<libc::gid_t>();
            check("setgroups", libc::syscall(libc::SYS_setgroups, 0, none))?;
            let result = libc::syscall(libc::SYS_setresgid, user, user, user);
            check("setresgid", result)?;
            let result = libc::syscall(libc::SYS_setresuid, user, user, user);
            check("setresuid", result)?;
            // The kernel gives the files of `/proc/self` to root when the user changes.
            check(
                "prctl",
                libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0).into(),
            )?;
            check("unshare", libc::unshare(libc::CLONE_NEWUSER).into())?;
        }
        self.map(process)
    }
}

/// Gives up all capabilities, also those that a program could gain.
///
/// # Errors
/// If the kernel rejects a call.
pub(super) fn drop_capabilities() -> Result<(), Failure> {
    // SAFETY: the structures are valid during the calls, which have no other memory effects.
    unsafe {
        let mut capability = 0;
        // Until the first that this kernel does not have.
        while libc::prctl(libc::PR_CAPBSET_DROP, capability, 0, 0, 0) == 0 {
            capability += 1;
        }
        let header = CapabilityHeader {
            version: CAPABILITY_VERSION,
            pid: 0,
        };
        let none = [0u32; 6];
        let result = libc::syscall(libc::SYS_capset, &raw const header, none.as_ptr());
        check("capset", result)?;
        // A huge page of which a part is unmapped stays whole, and is no address space. Kernels without huge pages have no such call.
        libc::prctl(libc::PR_SET_THP_DISABLE, 1, 0, 0, 0);
        check(
            "prctl",
            libc::prctl(libc::PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0).into(),
        )
    }
}

fn write(folder: libc::c_int, file: &CStr, content: &CStr) -> Result<(), Failure> {
    let bytes = content.to_bytes();
    // SAFETY: the string ends in zero and the buffer has the given length.
    unsafe {
        let fd = libc::openat(folder, file.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        check("map of the user namespace", fd.into())?;
        let written = libc::write(fd, bytes.as_ptr().cast(), bytes.len());
        let result = check("map of the user namespace", written as libc::c_long);
        libc::close(fd);
        result
    }
}
