//! A system-call filter for the child process (seccomp-BPF), which denies new processes and threads, signals to other
//! processes, sockets, System V IPC, memory that the limits do not count, and changes to files.
//!
//! It lists the calls that are denied rather than those that are allowed, because the calls of an interpreter differ
//! between releases. Denied calls return `EPERM`, for which Python raises `PermissionError`. Of the newer calls it lists
//! those that are allowed, since a kernel may have more of them than are known here. A call of another architecture
//! (32-bit code in a 64-bit process) kills the process, the fixed behaviour of `seccompiler`.

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, sock_filter,
};

/// Calls that are denied for all arguments.
const DENIED: &[c_long] = &[
    // Processes and signals.
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_clone,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_rt_tgsigqueueinfo,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_setpriority,
    libc::SYS_prlimit64,
    libc::SYS_setrlimit,
    libc::SYS_ioprio_set,
    libc::SYS_sched_setaffinity,
    libc::SYS_sched_setattr,
    libc::SYS_sched_setparam,
    libc::SYS_sched_setscheduler,
    libc::SYS_migrate_pages,
    libc::SYS_move_pages,
    libc::SYS_kcmp,
    // Network, namespaces and other interfaces of the kernel.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_bpf,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_perf_event_open,
    libc::SYS_userfaultfd,
    libc::SYS_inotify_init1,
    libc::SYS_fanotify_init,
    libc::SYS_add_key,
    libc::SYS_request_key,
    libc::SYS_keyctl,
    libc::SYS_name_to_handle_at,
    libc::SYS_open_by_handle_at,
    // A lock on a file opened for reading delays its other users.
    libc::SYS_flock,
    // What only root can do, for the case that the system permits no user namespace.
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_pivot_root,
    libc::SYS_chroot,
    libc::SYS_swapon,
    libc::SYS_swapoff,
    libc::SYS_reboot,
    libc::SYS_kexec_load,
    libc::SYS_init_module,
    libc::SYS_finit_module,
    libc::SYS_delete_module,
    libc::SYS_sethostname,
    libc::SYS_setdomainname,
    libc::SYS_settimeofday,
    libc::SYS_clock_settime,
    libc::SYS_clock_adjtime,
    libc::SYS_adjtimex,
    libc::SYS_acct,
    libc::SYS_quotactl,
    libc::SYS_syslog,
    // Memory outside the address space, which no limit counts: files in memory, and pages in pipes and in requests.
    libc::SYS_memfd_create,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_vmsplice,
    libc::SYS_io_setup,
    // Message queues, semaphores and shared memory, which persist after the process.
    libc::SYS_shmget,
    libc::SYS_shmat,
    libc::SYS_shmctl,
    libc::SYS_msgget,
    libc::SYS_msgsnd,
    libc::SYS_msgrcv,
    libc::SYS_msgctl,
    libc::SYS_semget,
    libc::SYS_semop,
    libc::SYS_semtimedop,
    libc::SYS_semctl,
    libc::SYS_mq_open,
    libc::SYS_mq_unlink,
    // Changes to files.
    libc::SYS_truncate,
    libc::SYS_unlinkat,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_linkat,
    libc::SYS_symlinkat,
    libc::SYS_mkdirat,
    libc::SYS_mknodat,
    // These require only a descriptor opened for reading.
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_inotify_init,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_iopl,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_ioperm,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_creat,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_unlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rmdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_rename,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_link,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_symlink,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mkdir,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_mknod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chmod,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_chown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_lchown,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utime,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_utimes,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_futimesat,
];

/// Calls from this number on have the same number on all architectures.
const NEWER: u32 = 424;

/// The newer calls that are allowed. All others return `ENOSYS`, so that the C library uses the older call, which is
/// filtered: among them are `clone3`, `openat2`, `pidfd_open`, `io_uring_setup`, `memfd_secret` and `file_setattr`.
const ALLOWED_NEWER: &[u32] = &[
    436, // close_range
    439, // faccessat2
    441, // epoll_pwait2
    449, // futex_waitv
    453, // map_shadow_stack
    454, // futex_wake
    455, // futex_wait
    456, // futex_requeue
    462, // mseal
];

/// The operations of `fcntl` that are allowed; `F_SETFL` without `O_ASYNC`. Others choose the process that receives
/// the signals of a descriptor and which signals, enlarge pipes, and lock files.
const FCNTL: &[libc::c_int] = &[
    libc::F_DUPFD,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
    libc::F_SETFL,
];

/// The operations of `ioctl` that are allowed: whether a descriptor is a terminal and its size, the number of bytes to
/// read, blocking, and closing at exec.
const IOCTL: &[u32] = &[
    0x5401,      // TCGETS
    0x802c_542a, // TCGETS2
    0x5413,      // TIOCGWINSZ
    0x541b,      // FIONREAD
    0x5421,      // FIONBIO
    0x5450,      // FIONCLEX
    0x5451,      // FIOCLEX
];

/// Flags with which `open` can change files.
const WRITING: &[i32] = &[libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC];

/// First call number of the x32 ABI, in which all calls have other numbers.
const X32: u32 = 0x4000_0000;

/// The filter, compiled before the fork, after which the child must not allocate.
pub(super) struct SyscallFilter([BpfProgram; 2]);

impl SyscallFilter {
    /// Compiles the filter as two programs; the kernel runs every installed program and applies the strictest result.
    ///
    /// # Errors
    /// If `seccompiler` does not support the architecture or rejects a rule.
    pub fn compile() -> Result<Self, BackendError> {
        let mut denied: Vec<(c_long, Vec<SeccompRule>)> =
            DENIED.iter().map(|&call| (call, Vec::new())).collect();
        let writing = |argument| -> Result<Vec<SeccompRule>, BackendError> {
            let flag = |&flag: &i32| rule(vec![masked(argument, flag as u64, flag as u64)?]);
            WRITING.iter().map(flag).collect()
        };
        denied.push((libc::SYS_openat, writing(2)?));
        #[cfg(target_arch = "x86_64")]
        denied.push((libc::SYS_open, writing(1)?));
        let set_flags = masked(1, u64::from(u32::MAX), libc::F_SETFL as u64)?;
        let signals = masked(2, libc::O_ASYNC as u64, libc::O_ASYNC as u64)?;
        let operations = FCNTL.iter().map(|&operation| operation as u32);
        let fcntl = vec![none_of(1, operations)?, rule(vec![set_flags, signals])?];
        denied.push((libc::SYS_fcntl, fcntl));
        denied.push((libc::SYS_ioctl, vec![none_of(1, IOCTL.iter().copied())?]));
        let denied = SeccompFilter::new(
            denied.into_iter().collect(),
            SeccompAction::Allow,
            SeccompAction::Errno(libc::EPERM as u32),
            std::env::consts::ARCH.try_into()?,
        )?;
        Ok(Self([denied.try_into()?, restrict_newer()]))
    }

    /// Installs the filter for this process and the programs that it executes, without allocation. Without kernel
    /// support only the other restrictions apply.
    pub fn install(&self) {
        for program in &self.0 {
            let _ = seccompiler::apply_filter(program);
        }
    }
}

/// A rule that matches if all conditions do.
fn rule(conditions: Vec<SeccompCondition>) -> Result<SeccompRule, BackendError> {
    SeccompRule::new(conditions)
}

/// The argument equals `value` in the bits of `mask`.
fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompCondition, BackendError> {
    let operator = SeccompCmpOp::MaskedEq(mask);
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

/// A rule that matches if the argument, of which the kernel reads 32 bits, is none of `values`.
fn none_of(argument: u8, values: impl Iterator<Item = u32>) -> Result<SeccompRule, BackendError> {
    let (length, differs) = (SeccompCmpArgLen::Dword, SeccompCmpOp::Ne);
    let condition =
        |value| SeccompCondition::new(argument, length.clone(), differs.clone(), u64::from(value));
    rule(values.map(condition).collect::<Result<_, _>>()?)
}

/// A program that denies every call number from [`X32`], and makes every one from [`NEWER`] absent that is not in
/// [`ALLOWED_NEWER`]. It is assembled here, because `seccompiler` compares call numbers for equality only.
fn restrict_newer() -> BpfProgram {
    let instruction = |code: u32, jt, jf, k| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let end = |action: SeccompAction| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, action.into());
    // Each is the test `skip the next instruction unless the number is ...`, and that instruction.
    let at_least = |number| instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, number);
    let below = |number| instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 1, 0, number);
    let equal = |number| instruction(libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K, 0, 1, number);
    // The call number is the first field of the kernel's `seccomp_data`.
    let mut program = vec![instruction(
        libc::BPF_LD | libc::BPF_W | libc::BPF_ABS,
        0,
        0,
        0,
    )];
    program.extend([
        at_least(X32),
        end(SeccompAction::Errno(libc::EPERM as u32)),
        below(NEWER),
        end(SeccompAction::Allow),
    ]);
    for &call in ALLOWED_NEWER {
        program.extend([equal(call), end(SeccompAction::Allow)]);
    }
    program.push(end(SeccompAction::Errno(libc::ENOSYS as u32)));
    program
}
