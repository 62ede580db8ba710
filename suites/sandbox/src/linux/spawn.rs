//! Creation of processes under restriction.

use std::convert::Infallible;
use std::ffi::{CStr, CString};
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use tempfile::TempDir;

use super::credentials::{Credentials, UNPRIVILEGED, drop_capabilities};
use super::failure::{Failure, check};
use super::root::{Root, TEMPORARY};
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use super::{file_access::FileAccess, filter::SyscallFilter};
use crate::confinement::Confinement;
use crate::interpreter::Interpreter;
use crate::limits::SandboxLimits;
use crate::process::{ENVIRONMENT, OPTIONS, Process, ResourceLimits};

/// The namespaces of an isolated process beside that of its user.
const NAMESPACES: libc::c_int = libc::CLONE_NEWNS
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS;

/// What all processes of a sandbox share, prepared once.
pub(crate) struct Launcher {
    executable: CString,
    environment: Vec<CString>,
    /// With the user, in isolation.
    isolation: Option<(Root, Credentials)>,
    /// The working folder without isolation, and its path.
    folder: Option<(TempDir, CString)>,
    #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
    restriction: Option<(Option<FileAccess>, SyscallFilter)>,
}

/// The new process, for the calls between `clone` and `execve`.
struct Child<'a> {
    launcher: &'a Launcher,
    arguments: Vec<*const libc::c_char>,
    environment: Vec<*const libc::c_char>,
    /// Descriptors that become 0, 1, 2 and so on.
    descriptors: &'a [BorrowedFd<'a>],
    limits: ResourceLimits,
}

impl Launcher {
    /// Prepares processes with these restrictions.
    ///
    /// # Errors
    /// If a folder cannot be created, or the system lacks what the restrictions need.
    pub fn prepare(
        python: &Interpreter,
        limits: &SandboxLimits,
        confinement: Confinement,
    ) -> io::Result<Self> {
        let is_isolated = confinement == Confinement::Isolated;
        let isolation = match is_isolated {
            true => {
                let user = Credentials::prepare();
                let owner = user.drops.then_some(UNPRIVILEGED);
                Some((Root::prepare(python, limits.temporary_bytes, owner)?, user))
            }
            false => None,
        };
        let folder = match is_isolated {
            true => None,
            false => {
                let folder = tempfile::tempdir()?;
                let path = CString::new(folder.path().as_os_str().as_bytes())?;
                Some((folder, path))
            }
        };
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        let restriction = match confinement {
            Confinement::Isolated | Confinement::Filtered => {
                let folder = isolation.as_ref().map(|(root, _)| root.folder().to_owned());
                let mut readable: Vec<&PathBuf> = [&python.executable].into();
                readable.extend(python.folders.iter().chain(&python.files));
                readable.extend(python.links.iter().map(|(_, file)| file));
                readable.extend(folder.as_ref());
                let files = FileAccess::only(readable.into_iter()).map_err(io::Error::other)?;
                if files.is_none() && !is_isolated {
                    return Err(io::Error::other("the kernel has no Landlock"));
                }
                let filter = SyscallFilter::compile(is_isolated).map_err(io::Error::other)?;
                Some((files, filter))
            }
            Confinement::LimitsOnly => None,
        };
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        if confinement != Confinement::LimitsOnly {
            return Err(io::Error::other(
                "there is no system-call filter for this processor",
            ));
        }
        let environment = ENVIRONMENT.iter().copied().map(CString::new);
        Ok(Self {
            executable: CString::new(python.executable.as_os_str().as_bytes())?,
            environment: environment.collect::<Result<_, _>>()?,
            isolation,
            folder,
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            restriction,
        })
    }

    /// Starts the interpreter on a script.
    ///
    /// # Arguments
    /// * `descriptors`: those of the new process, from 0. It has no others.
    ///
    /// # Errors
    /// If the process cannot be created or restricted; the message names the call.
    pub fn start(
        &self,
        script: &str,
        descriptors: &[BorrowedFd<'_>],
        limits: ResourceLimits,
    ) -> io::Result<Process> {
        let script = CString::new(script)?;
        let pointers = |strings: &[&CStr]| -> Vec<*const libc::c_char> {
            let strings = strings.iter().map(|text| text.as_ptr());
            strings.chain([std::ptr::null()]).collect()
        };
        let mut arguments: Vec<&CStr> = vec![&self.executable];
        arguments.extend(OPTIONS);
        arguments.push(&script);
        let environment: Vec<&CStr> = self.environment.iter().map(CString::as_c_str).collect();
        let child = Child {
            launcher: self,
            arguments: pointers(&arguments),
            environment: pointers(&environment),
            descriptors,
            limits,
        };
        let (failures, writer) = io::pipe()?;
        let mut flags = libc::SIGCHLD;
        if let Some((_, user)) = &self.isolation {
            flags |= NAMESPACES;
            if !user.drops {
                flags |= libc::CLONE_NEWUSER;
            }
        }
        let none = std::ptr::null::<libc::c_void>();
        // SAFETY: without a stack and without shared memory the call is `fork`. The child makes only system calls on data that was prepared
        // above, and never returns.
        let pid = unsafe { libc::syscall(libc::SYS_clone, flags, none, none, none, none) };
        match pid {
            0 => child.execute(OwnedFd::from(writer)),
            1.. => {}
            _ => {
                let error = io::Error::last_os_error();
                return Err(io::Error::new(error.kind(), format!("clone: {error}")));
            }
        }
        let process = Process::new(pid as libc::pid_t);
        drop(writer);
        let mut failure = Vec::new();
        let mut failures = failures;
        failures.read_to_end(&mut failure)?;
        match failure.split_first_chunk() {
            None => Ok(process),
            Some((errno, call)) => {
                let error = io::Error::from_raw_os_error(i32::from_ne_bytes(*errno));
                let call = String::from_utf8_lossy(call);
                Err(io::Error::new(error.kind(), format!("{call}: {error}")))
            }
        }
    }
}

/// Descriptors are moved above this one before they are given their numbers.
pub(super) const ABOVE: libc::c_int = 64;
/// No process is given more.
const MOST_DESCRIPTORS: usize = 8;

impl Child<'_> {
    /// Restricts this process and executes the interpreter; on failure writes the error and ends.
    fn execute(&self, failures: OwnedFd) -> ! {
        // SAFETY: the calls have no memory effects; the process is a child of its own.
        unsafe {
            let fd = libc::fcntl(failures.as_raw_fd(), libc::F_DUPFD_CLOEXEC, ABOVE);
            if fd >= 0
                && let Err(Failure { call, errno }) = self.restrict()
            {
                let mut failures = std::mem::ManuallyDrop::new(io::PipeWriter::from_raw_fd(fd));
                let _ = failures.write_all(&errno.to_ne_bytes());
                let _ = failures.write_all(call.as_bytes());
            }
            libc::_exit(127)
        }
    }

    fn restrict(&self) -> Result<Infallible, Failure> {
        let isolation = self.launcher.isolation.as_ref();
        // SAFETY: strings end in zero, structures are valid during the calls, and there is no other thread in this process.
        unsafe {
            check("setpgid", libc::setpgid(0, 0).into())?;
            let mut signals: libc::sigset_t = std::mem::zeroed();
            libc::sigemptyset(&mut signals);
            libc::sigprocmask(libc::SIG_SETMASK, &signals, std::ptr::null_mut());
            libc::signal(libc::SIGPIPE, libc::SIG_DFL);
            self.take_descriptors()?;
            if let Some((root, user)) = isolation {
                let flags = libc::O_PATH | libc::O_CLOEXEC;
                let process = libc::open(c"/proc/self".as_ptr(), flags);
                check("open /proc/self", process.into())?;
                if !user.drops {
                    user.map(process)?;
                }
                root.enter()?;
                let name = c"sandbox";
                check("sethostname", libc::sethostname(name.as_ptr(), 7).into())?;
                if user.drops {
                    user.drop_root(process)?;
                }
                drop_capabilities()?;
            }
            if let Some((_, path)) = &self.launcher.folder {
                check("chdir", libc::chdir(path.as_ptr()).into())?;
            }
            // Threads are counted by user: those of a program alone only in a user namespace of its own.
            let threads = self.limits.threads.filter(|_| isolation.is_some());
            ResourceLimits {
                threads,
                ..self.limits
            }
            .apply();
            // Set after the user, whose change clears it.
            let kill = libc::SIGKILL as libc::c_ulong;
            check(
                "prctl",
                libc::prctl(libc::PR_SET_PDEATHSIG, kill, 0, 0, 0).into(),
            )?;
            #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
            if let Some((files, filter)) = &self.launcher.restriction {
                if let Some(files) = files {
                    let temporary = isolation.map(|_| TEMPORARY);
                    let restricted = files.restrict(temporary);
                    restricted.map_err(|_| Failure::last("Landlock"))?;
                }
                filter.install().map_err(|_| Failure::last("seccomp"))?;
            }
            let path = self.launcher.executable.as_ptr();
            libc::execve(path, self.arguments.as_ptr(), self.environment.as_ptr());
            Err(Failure::last("execve"))
        }
    }

    /// Gives the descriptors their numbers and closes all others at `execve`.
    fn take_descriptors(&self) -> Result<(), Failure> {
        let mut moved = [-1; MOST_DESCRIPTORS];
        // All are moved away first: the number of one can be that of another.
        for (place, descriptor) in moved.iter_mut().zip(self.descriptors) {
            // SAFETY: the call has no memory effects.
            *place = unsafe { libc::fcntl(descriptor.as_raw_fd(), libc::F_DUPFD_CLOEXEC, ABOVE) };
            check("fcntl", (*place).into())?;
        }
        for (number, moved) in moved.iter().take(self.descriptors.len()).enumerate() {
            // SAFETY: the call has no memory effects; nothing in this process uses the number afterwards.
            let result = unsafe { libc::dup2(*moved, number as libc::c_int) };
            check("dup2", result.into())?;
        }
        let first = self.descriptors.len() as libc::c_uint;
        // SAFETY: the call has no memory effects.
        let result = unsafe {
            let flag = libc::CLOSE_RANGE_CLOEXEC;
            libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, flag)
        };
        check("close_range", result)
    }
}
