//! A system-call filter for the child process (seccomp-BPF), which denies new processes, signals to other processes,
//! sockets, System V IPC and changes to files.
//!
//! It lists the calls that are denied rather than those that are allowed, because the calls of an interpreter differ
//! between releases. Denied calls return `EPERM`, for which Python raises `PermissionError`. A call of another
//! architecture (32-bit code in a 64-bit process) kills the process, the fixed behaviour of `seccompiler`.

use libc::c_long;
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, sock_filter,
};

/// Newer calls, which `libc` does not define for every target; their numbers are equal on all architectures.
const FCHMODAT2: c_long = 452;
const SETXATTRAT: c_long = 463;
const REMOVEXATTRAT: c_long = 466;

/// Calls that are denied for all arguments.
const DENIED: &[c_long] = &[
    // Processes and signals.
    libc::SYS_kill,
    libc::SYS_tkill,
    libc::SYS_tgkill,
    libc::SYS_rt_sigqueueinfo,
    libc::SYS_pidfd_open,
    libc::SYS_pidfd_send_signal,
    libc::SYS_ptrace,
    libc::SYS_process_vm_readv,
    libc::SYS_process_vm_writev,
    libc::SYS_setsid,
    libc::SYS_setpgid,
    libc::SYS_setpriority,
    libc::SYS_prlimit64,
    // Network, namespaces and other interfaces of the kernel.
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_io_uring_setup,
    libc::SYS_bpf,
    libc::SYS_unshare,
    libc::SYS_setns,
    libc::SYS_mount,
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
    FCHMODAT2,
    libc::SYS_fchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_lsetxattr,
    libc::SYS_fsetxattr,
    SETXATTRAT,
    libc::SYS_removexattr,
    libc::SYS_lremovexattr,
    libc::SYS_fremovexattr,
    REMOVEXATTRAT,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_fork,
    #[cfg(target_arch = "x86_64")]
    libc::SYS_vfork,
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

/// Calls that return `ENOSYS`: the C library then uses the older call, which is filtered by its flags.
const ABSENT: &[c_long] = &[libc::SYS_clone3, libc::SYS_openat2];

/// Flags with which `open` can change files.
const WRITING: &[i32] = &[libc::O_WRONLY, libc::O_RDWR, libc::O_CREAT, libc::O_TRUNC];

/// First call number of the x32 ABI, in which all calls have other numbers.
const X32: u32 = 0x4000_0000;

/// The filter, compiled before the fork, after which the child must not allocate.
pub(super) struct SyscallFilter([BpfProgram; 3]);

impl SyscallFilter {
    /// Compiles the filter as three programs; the kernel runs every installed program and applies the strictest result.
    ///
    /// # Errors
    /// If `seccompiler` does not support the architecture or rejects a rule.
    pub fn compile() -> Result<Self, BackendError> {
        let mut denied: Vec<(c_long, Vec<SeccompRule>)> =
            DENIED.iter().map(|&call| (call, Vec::new())).collect();
        let writing = |argument| -> Result<Vec<SeccompRule>, BackendError> {
            let rule = |&flag: &i32| masked(argument, flag as u64, flag as u64);
            WRITING.iter().map(rule).collect()
        };
        denied.push((libc::SYS_openat, writing(2)?));
        #[cfg(target_arch = "x86_64")]
        denied.push((libc::SYS_open, writing(1)?));
        // A clone without this flag creates a process, not a thread.
        let thread = libc::CLONE_THREAD as u64;
        denied.push((libc::SYS_clone, vec![masked(0, thread, 0)?]));
        let absent = ABSENT.iter().map(|&call| (call, Vec::new())).collect();
        Ok(Self([
            program(denied, libc::EPERM)?,
            program(absent, libc::ENOSYS)?,
            deny_x32(),
        ]))
    }

    /// Installs the filter for this process and the programs that it executes, without allocation. Without kernel
    /// support only the other restrictions apply.
    pub fn install(&self) {
        for program in &self.0 {
            let _ = seccompiler::apply_filter(program);
        }
    }
}

/// A rule that matches if the argument equals `value` in the bits of `mask`.
fn masked(argument: u8, mask: u64, value: u64) -> Result<SeccompRule, BackendError> {
    let operator = SeccompCmpOp::MaskedEq(mask);
    let condition = SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)?;
    SeccompRule::new(vec![condition])
}

/// A program in which the calls return `errno` if a rule matches or if they have no rules; all other calls are allowed.
fn program(calls: Vec<(c_long, Vec<SeccompRule>)>, errno: i32) -> Result<BpfProgram, BackendError> {
    SeccompFilter::new(
        calls.into_iter().collect(),
        SeccompAction::Allow,
        SeccompAction::Errno(errno as u32),
        std::env::consts::ARCH.try_into()?,
    )?
    .try_into()
}

/// A program that denies every call number from [`X32`]. It is assembled here, because `seccompiler` compares call
/// numbers for equality only.
fn deny_x32() -> BpfProgram {
    let instruction = |code: u32, jt, jf, k| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let deny = SeccompAction::Errno(libc::EPERM as u32);
    vec![
        // The call number is the first field of the kernel's `seccomp_data`.
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        instruction(libc::BPF_JMP | libc::BPF_JGE | libc::BPF_K, 0, 1, X32),
        instruction(libc::BPF_RET | libc::BPF_K, 0, 0, deny.into()),
        instruction(
            libc::BPF_RET | libc::BPF_K,
            0,
            0,
            SeccompAction::Allow.into(),
        ),
    ]
}
