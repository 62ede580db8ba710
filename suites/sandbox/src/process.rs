//! Child processes: their limits, their end and its reason.

use std::ffi::CStr;
use std::io;

/// Options of the interpreter before its script: no site packages, no files of compiled code.
pub(crate) const OPTIONS: [&CStr; 4] = [c"-s", c"-S", c"-B", c"-c"];

/// The whole environment of programs. Hashes are fixed, so that the order of sets is; memory for threads is shared, because that of
/// each thread would be counted as address space.
pub(crate) const ENVIRONMENT: [&str; 7] = [
    "HOME=/tmp",
    "TMPDIR=/tmp",
    "PATH=",
    "LANG=C.UTF-8",
    "TZ=UTC",
    "PYTHONHASHSEED=0",
    "MALLOC_ARENA_MAX=1",
];

/// Number of files that a process can have open at once. Pipes have memory that the size of the address space does not include, 64 KiB
/// each.
const OPEN_FILES: u64 = 64;
/// Size of the stack in bytes.
const STACK: u64 = 8 << 20;

/// Limits of one process, in the kernel's units.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ResourceLimits {
    /// CPU time in seconds.
    pub cpu_seconds: u64,
    /// Address space in bytes.
    pub memory_bytes: u64,
    /// Size of a file in bytes.
    pub file_bytes: u64,
    /// Number of processes and threads of the user; no limit if absent.
    pub threads: Option<u64>,
}

impl ResourceLimits {
    /// Applies the limits to this process, without allocation.
    pub fn apply(&self) {
        let maxima = [
            (libc::RLIMIT_CPU, self.cpu_seconds),
            (libc::RLIMIT_AS, self.memory_bytes),
            (libc::RLIMIT_FSIZE, self.file_bytes),
            (libc::RLIMIT_STACK, STACK),
            (libc::RLIMIT_CORE, 0),
            (libc::RLIMIT_MEMLOCK, 0),
            (libc::RLIMIT_NOFILE, OPEN_FILES),
            // Kernel memory of timers and message queues.
            #[cfg(target_os = "linux")]
            (libc::RLIMIT_SIGPENDING, 64),
            #[cfg(target_os = "linux")]
            (libc::RLIMIT_MSGQUEUE, 0),
        ];
        let threads = self.threads.map(|maximum| (libc::RLIMIT_NPROC, maximum));
        for (resource, maximum) in maxima.into_iter().chain(threads) {
            let limit = libc::rlimit {
                rlim_cur: maximum as libc::rlim_t,
                rlim_max: maximum as libc::rlim_t,
            };
            // SAFETY: the structure is valid during the call. An error means that the system does not have this limit or has a lower one,
            // which then applies; the self-check measures the effect.
            let _ = unsafe { libc::setrlimit(resource, &limit) };
        }
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// By itself.
    Exit,
    /// By this signal.
    Signal(i32),
}

/// A child process, the leader of a process group of its own. It is killed and waited for when this is dropped.
#[derive(Debug)]
pub(crate) struct Process {
    pid: libc::pid_t,
    end: Option<End>,
}

impl Process {
    /// The child with this id, which has not been waited for.
    pub fn new(pid: libc::pid_t) -> Self {
        Self { pid, end: None }
    }

    /// Its id.
    #[cfg(all(test, target_os = "linux"))]
    pub fn id(&self) -> libc::pid_t {
        self.pid
    }

    /// Resident memory with page tables; `None` where the system does not say, and once it has ended.
    pub fn memory_bytes(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid)).ok()?;
        let kilobytes = |key: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().next()?.parse().ok()
        };
        Some(1024 * (kilobytes("VmRSS:")? + kilobytes("VmPTE:")?))
    }

    /// Whether it has ended. It is not waited for, which would free its id and thereby that of its group.
    ///
    /// # Errors
    /// If the system does not tell.
    pub fn has_ended(&self) -> io::Result<bool> {
        if self.end.is_some() {
            return Ok(true);
        }
        // SAFETY: `siginfo_t` is plain data for which zeros are valid, and the call fills it.
        unsafe {
            let mut info: libc::siginfo_t = std::mem::zeroed();
            let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
            if libc::waitid(libc::P_PID, self.pid as libc::id_t, &mut info, options) < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(info.si_signo == libc::SIGCHLD)
        }
    }

    /// Kills the process group, waits for the process and returns how it ended.
    ///
    /// # Errors
    /// If it cannot be waited for.
    pub fn kill(&mut self) -> io::Result<End> {
        if let Some(end) = self.end {
            return Ok(end);
        }
        // SAFETY: the calls have no memory effects. The process is not waited for, so no other process and group can have its id; that all
        // have ended is not an error. The group may not exist yet if the start failed.
        unsafe {
            libc::kill(-self.pid, libc::SIGKILL);
            libc::kill(self.pid, libc::SIGKILL);
        }
        let mut status = 0;
        // SAFETY: the pointer is to a valid integer.
        while unsafe { libc::waitpid(self.pid, &mut status, 0) } < 0 {
            let error = io::Error::last_os_error();
            if error.kind() != io::ErrorKind::Interrupted {
                return Err(error);
            }
        }
        let end = match libc::WIFSIGNALED(status) {
            true => End::Signal(libc::WTERMSIG(status)),
            false => End::Exit,
        };
        self.end = Some(end);
        Ok(end)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Nothing more can be done about one that cannot be waited for.
        let _ = self.kill();
    }
}
