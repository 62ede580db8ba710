//! The child process: start under limits, reading of its output with a deadline, and termination of its process group.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::interpreter::Interpreter;
use super::limits::SandboxLimits;
use super::program_verdict::ProgramVerdict;

/// Maximum time to wait for output before the state of the child is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// Number of files that a program can have open at once.
const OPEN_FILES: u64 = 64;

/// Runs a script with `input` as its standard input and returns its standard output.
///
/// # Errors
/// If the child cannot be started, is killed, or exceeds a limit.
pub(super) fn run(
    python: &Interpreter,
    limits: &SandboxLimits,
    script: &str,
    input: &str,
) -> Result<Vec<u8>, ProgramVerdict> {
    let failed = |error: io::Error| ProgramVerdict::NotRun(error.to_string());
    let folder = tempfile::tempdir().map_err(failed)?;
    let mut command = Command::new(&python.executable);
    command
        .args(["-I", "-S", "-B", "-c", script])
        .current_dir(folder.path())
        .env_clear();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    confine(&mut command, limits, &python.readable).map_err(failed)?;
    let mut child = command.spawn().map_err(failed)?;
    let sent = child
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    // A broken pipe means that the child exited early; its exit status is the reason.
    let output = match (sent, child.stdout.take()) {
        (Err(error), _) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(error)),
        (_, None) => Err(ProgramVerdict::NotRun("no pipe to the child".to_owned())),
        (_, Some(stdout)) => read_until_exit(&child, stdout, limits),
    };
    // The group leader is not reaped yet, so no other group can have its process id.
    kill_group(&child);
    let status = child.wait().map_err(failed)?;
    match (output?, status.signal()) {
        (ReadOutcome::Exited(_), Some(signal)) => Err(ProgramVerdict::Killed(signal)),
        (ReadOutcome::Exited(bytes), None) => Ok(bytes),
        (ReadOutcome::TimedOut, _) => Err(ProgramVerdict::TimedOut),
        (ReadOutcome::TooMuch, _) => Err(ProgramVerdict::TooMuchOutput),
    }
}

/// Outcome of reading the child's output.
enum ReadOutcome {
    Exited(Vec<u8>),
    TimedOut,
    TooMuch,
}

/// Reads until the group leader has exited, the deadline has passed, or the output exceeds the limit.
fn read_until_exit(
    child: &Child,
    mut stdout: ChildStdout,
    limits: &SandboxLimits,
) -> Result<ReadOutcome, ProgramVerdict> {
    let failed = |error: io::Error| ProgramVerdict::NotRun(error.to_string());
    let deadline = Instant::now()
        + Duration::try_from_secs_f64(limits.wall_seconds).unwrap_or(Duration::MAX / 4);
    set_nonblocking(stdout.as_raw_fd()).map_err(failed)?;
    let mut output = Vec::new();
    let mut open = true;
    loop {
        // Checked before reading: all output of an exited child is then in the pipe.
        let exited = has_exited(child).map_err(failed)?;
        while open {
            let mut chunk = [0; 8192];
            match stdout.read(&mut chunk) {
                Ok(0) => open = false,
                Ok(count) => output.extend_from_slice(&chunk[..count]),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
            if output.len() > limits.output_bytes {
                return Ok(ReadOutcome::TooMuch);
            }
            if Instant::now() > deadline {
                return Ok(ReadOutcome::TimedOut);
            }
        }
        if exited {
            return Ok(ReadOutcome::Exited(output));
        }
        if Instant::now() > deadline {
            return Ok(ReadOutcome::TimedOut);
        }
        wait_for_output(open.then(|| stdout.as_raw_fd()));
    }
}

/// Waits until there is output to read, at most [`POLL_INTERVAL`].
fn wait_for_output(stdout: Option<RawFd>) {
    let Some(fd) = stdout else {
        return std::thread::sleep(POLL_INTERVAL);
    };
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: the pointer is to one valid `pollfd`; an error only shortens the wait.
    unsafe { libc::poll(&mut poll, 1, POLL_INTERVAL.as_millis() as libc::c_int) };
}

fn set_nonblocking(fd: RawFd) -> io::Result<()> {
    // SAFETY: the calls read and set flags of a descriptor that this process owns.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    // SAFETY: as above.
    if flags < 0 || unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whether the group leader has exited, without reaping it, which would free its process id and thereby that of the
/// group.
fn has_exited(child: &Child) -> io::Result<bool> {
    // SAFETY: `siginfo_t` is plain data for which zeros are valid, and the call fills it.
    unsafe {
        let mut info: libc::siginfo_t = std::mem::zeroed();
        let options = libc::WEXITED | libc::WNOHANG | libc::WNOWAIT;
        if libc::waitid(libc::P_PID, child.id() as libc::id_t, &mut info, options) < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(info.si_signo == libc::SIGCHLD)
    }
}

fn kill_group(child: &Child) {
    // SAFETY: the call has no memory effects. The group has no other member than the child and its descendants; that it
    // no longer exists is not an error.
    unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGKILL) };
}

/// Sets the limits, namespaces, file access and filter that the child applies between fork and exec, where only async-signal-safe
/// calls are allowed.
fn confine(
    command: &mut Command,
    limits: &SandboxLimits,
    #[cfg_attr(not(target_os = "linux"), allow(unused_variables))] readable: &[PathBuf],
) -> io::Result<()> {
    let maxima = [
        (libc::RLIMIT_CPU, limits.cpu_seconds),
        (libc::RLIMIT_AS, limits.memory_bytes),
        (libc::RLIMIT_FSIZE, limits.file_bytes),
        (libc::RLIMIT_CORE, 0),
        // Processes are counted per user, and the limit is set for this child only: it cannot start a process. Root is
        // exempt on Linux, where the filter denies new processes.
        (libc::RLIMIT_NPROC, 1),
        // Pipes have memory that the size of the address space does not include, 64 KiB each.
        (libc::RLIMIT_NOFILE, OPEN_FILES),
        // Kernel memory of timers.
        #[cfg(target_os = "linux")]
        (libc::RLIMIT_SIGPENDING, 64),
    ];
    #[cfg(target_os = "linux")]
    let files = super::file_access::FileAccess::only(readable).map_err(io::Error::other)?;
    #[cfg(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ))]
    let filter = super::syscall_filter::SyscallFilter::compile().map_err(io::Error::other)?;
    // SAFETY: the closure makes only system calls, without allocation or locks.
    unsafe {
        command.pre_exec(move || {
            for (resource, maximum) in maxima {
                let limit = libc::rlimit {
                    rlim_cur: maximum as libc::rlim_t,
                    rlim_max: maximum as libc::rlim_t,
                };
                // An error means that the system does not have this limit or has a lower one, which then applies.
                let _ = libc::setrlimit(resource, &limit);
            }
            #[cfg(target_os = "linux")]
            {
                // Descriptors that this process inherited or that a library opened without the flag.
                let flag = libc::CLOSE_RANGE_CLOEXEC;
                let _ = libc::syscall(libc::SYS_close_range, 3, libc::c_uint::MAX, flag);
                let _ = libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET);
                files.restrict();
            }
            #[cfg(all(
                target_os = "linux",
                any(target_arch = "x86_64", target_arch = "aarch64")
            ))]
            filter.install();
            Ok(())
        });
    }
    Ok(())
}
