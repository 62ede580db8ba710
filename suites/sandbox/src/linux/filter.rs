//! The system-call filter of sandboxed processes (seccomp-BPF): a list of the calls that the interpreter and the standard library need for
//! computation, threads and temporary files. All others fail.
//!
//! Calls that are not listed return `EPERM`, for which Python raises `PermissionError`. Of the newer calls those that are not listed return
//! `ENOSYS`, so that the C library uses the older call: `clone3`, whose arguments no filter can read, becomes `clone`. A call of another
//! architecture (32-bit code in a 64-bit process) kills the process, the fixed behaviour of `seccompiler`.

use super::allowed_calls::ALLOWED;
use libc::{c_int, c_long};
use seccompiler::{
    BackendError, BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition,
    SeccompFilter, SeccompRule, sock_filter,
};

/// Calls from this number on have the same number on all architectures.
const NEWER: u32 = 424;

/// The newer calls that are allowed. Among the others are `clone3`, `openat2`, `pidfd_open`, `io_uring_setup`, `memfd_secret` and
/// `file_setattr`.
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

/// The operations of `fcntl` that are allowed, beside `F_SETFL` without `O_ASYNC`. Others choose the process that receives the signals of
/// a descriptor and which signals, enlarge pipes, and lock files.
const FCNTL: &[c_int] = &[
    libc::F_DUPFD,
    libc::F_DUPFD_CLOEXEC,
    libc::F_GETFD,
    libc::F_SETFD,
    libc::F_GETFL,
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

/// The operations of `prctl` that are allowed: names of threads and of memory.
const PRCTL: &[c_int] = &[libc::PR_SET_NAME, libc::PR_GET_NAME, libc::PR_SET_VMA];

/// Flags that `clone` has for a thread. With a table of descriptors of its own, each thread could have as many as the limit permits.
const THREAD: c_int = libc::CLONE_THREAD
    | libc::CLONE_SIGHAND
    | libc::CLONE_VM
    | libc::CLONE_FILES
    | libc::CLONE_FS
    | libc::CLONE_SYSVSEM;
/// Flags of new namespaces, which a thread must not have.
const NAMESPACES: c_int = libc::CLONE_NEWUSER
    | libc::CLONE_NEWPID
    | libc::CLONE_NEWNET
    | libc::CLONE_NEWNS
    | libc::CLONE_NEWIPC
    | libc::CLONE_NEWUTS
    | libc::CLONE_NEWCGROUP;

/// First call number of the x32 ABI, in which all calls have other numbers.
const X32: u32 = 0x4000_0000;

/// The filter, compiled before the child exists, which must not allocate.
pub(super) struct SyscallFilter(BpfProgram);

impl SyscallFilter {
    /// Compiles the filter.
    ///
    /// # Arguments
    /// * `is_first`: whether the process is the first of a process-id namespace of its own. It may then send signals to itself.
    ///
    /// # Errors
    /// If `seccompiler` does not support the architecture or rejects a rule.
    pub fn compile(is_first: bool) -> Result<Self, BackendError> {
        let mut allowed: Vec<(c_long, Vec<SeccompRule>)> =
            ALLOWED.iter().map(|&call| (call, Vec::new())).collect();
        let thread = masked(0, THREAD | NAMESPACES, THREAD)?;
        allowed.push((libc::SYS_clone, vec![SeccompRule::new(vec![thread])?]));
        // Shared memory without a file outlives its mapping, and is then no address space of the process.
        let kinds = [0, libc::MAP_SHARED, libc::MAP_ANONYMOUS].map(|kind| {
            let kind = masked(3, libc::MAP_SHARED | libc::MAP_ANONYMOUS, kind)?;
            SeccompRule::new(vec![kind])
        });
        allowed.push((libc::SYS_mmap, kinds.into_iter().collect::<Result<_, _>>()?));
        let mut fcntl = one_of(1, FCNTL.iter().map(|&operation| operation as u32))?;
        let (set_flags, silent) = (
            equal(1, libc::F_SETFL as u32)?,
            masked(2, libc::O_ASYNC, 0)?,
        );
        fcntl.push(SeccompRule::new(vec![set_flags, silent])?);
        allowed.push((libc::SYS_fcntl, fcntl));
        allowed.push((libc::SYS_ioctl, one_of(1, IOCTL.iter().copied())?));
        let prctl = one_of(0, PRCTL.iter().map(|&operation| operation as u32))?;
        allowed.push((libc::SYS_prctl, prctl));
        // Reading limits of the process itself: the pointers are compared whole.
        let reads = SeccompRule::new(vec![equal(0, 0)?, null(2)?])?;
        allowed.push((libc::SYS_prlimit64, vec![reads]));
        if is_first {
            let own = SeccompRule::new(vec![equal(0, 1)?])?;
            allowed.push((libc::SYS_tgkill, vec![own]));
        }
        let listed: BpfProgram = SeccompFilter::new(
            allowed.into_iter().collect(),
            SeccompAction::Errno(libc::EPERM as u32),
            SeccompAction::Allow,
            std::env::consts::ARCH.try_into()?,
        )?
        .try_into()?;
        let mut program = newer();
        program.extend(listed);
        Ok(Self(program))
    }

    /// Installs the filter for this process and the programs that it executes, without allocation.
    ///
    /// # Errors
    /// If the kernel rejects it.
    pub fn install(&self) -> Result<(), seccompiler::Error> {
        seccompiler::apply_filter(&self.0)
    }
}

/// The argument, of which the kernel reads 32 bits, equals `value`.
fn equal(argument: u8, value: u32) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(
        argument,
        SeccompCmpArgLen::Dword,
        SeccompCmpOp::Eq,
        u64::from(value),
    )
}

/// The pointer is null.
fn null(argument: u8) -> Result<SeccompCondition, BackendError> {
    SeccompCondition::new(argument, SeccompCmpArgLen::Qword, SeccompCmpOp::Eq, 0)
}

/// The argument equals `value` in the bits of `mask`.
fn masked(argument: u8, mask: c_int, value: c_int) -> Result<SeccompCondition, BackendError> {
    let operator = SeccompCmpOp::MaskedEq(u64::from(mask as u32));
    let value = u64::from(value as u32);
    SeccompCondition::new(argument, SeccompCmpArgLen::Dword, operator, value)
}

/// A rule for each value, one of which the argument must equal.
fn one_of(
    argument: u8,
    values: impl Iterator<Item = u32>,
) -> Result<Vec<SeccompRule>, BackendError> {
    values
        .map(|value| SeccompRule::new(vec![equal(argument, value)?]))
        .collect()
}

/// The beginning of the program: denies every call number from [`X32`] and ends for every one from [`NEWER`], absent unless it is in
/// [`ALLOWED_NEWER`]; other numbers go on to what follows. It is assembled here, because `seccompiler` compares call numbers for equality
/// only.
fn newer() -> BpfProgram {
    let instruction = |code: u32, jt, jf, k| sock_filter {
        code: code as u16,
        jt,
        jf,
        k,
    };
    let end = |action: SeccompAction| instruction(libc::BPF_RET | libc::BPF_K, 0, 0, action.into());
    let jump = |test: u32, yes, no, number| {
        instruction(libc::BPF_JMP | test | libc::BPF_K, yes, no, number)
    };
    let absent = ALLOWED_NEWER.len() as u8;
    // The call number is the first field of the kernel's `seccomp_data`.
    let mut program = vec![
        instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, 0),
        jump(libc::BPF_JGE, 0, 1, X32),
        end(SeccompAction::Errno(libc::EPERM as u32)),
        // Past all that follows here, unless the number is a newer one.
        jump(libc::BPF_JGE, 0, absent + 2, NEWER),
    ];
    for (place, &call) in ALLOWED_NEWER.iter().enumerate() {
        // To the last of these instructions.
        program.push(jump(libc::BPF_JEQ, absent - place as u8, 0, call));
    }
    program.extend([
        end(SeccompAction::Errno(libc::ENOSYS as u32)),
        end(SeccompAction::Allow),
    ]);
    program
}
