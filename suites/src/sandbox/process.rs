//! The child process: started under limits, read under a deadline, killed with its group.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::limits::SandboxLimits;
use super::program_verdict::ProgramVerdict;

/// Maximum wait for output before the state of the child is checked.
const POLL_INTERVAL: Duration = Duration::from_millis(5);

/// Runs a script with `input` on its standard input and returns its standard output.
pub(super) fn run(
    python: &Path,
    limits: &SandboxLimits,
    script: &str,
    input: &str,
) -> Result<Vec<u8>, ProgramVerdict> {
    let failed = |error: io::Error| ProgramVerdict::NotRun(error.to_string());
    let folder = tempfile::tempdir().map_err(failed)?;
    let mut command = Command::new(python);
    command
        .args(["-I", "-S", "-B", "-c", script])
        .current_dir(folder.path())
        .env_clear();
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0);
    confine(&mut command, limits).map_err(failed)?;
    let mut child = command.spawn().map_err(failed)?;
    let sent = child
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    // A child that ended early leaves a broken pipe; its exit status gives the reason.
    let output = match (sent, child.stdout.take()) {
        (Err(error), _) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(error)),
        (_, None) => Err(ProgramVerdict::NotRun("no pipe to the child".to_owned())),
        (_, Some(stdout)) => read_until_end(&child, stdout, limits),
    };
    // The leader is not reaped yet, so its process id cannot belong to another group.
    kill_group(&child);
    let status = child.wait().map_err(failed)?;
    match (output?, status.signal()) {
        (Reading::Ended(_), Some(signal)) => Err(ProgramVerdict::Killed(signal)),
        (Reading::Ended(bytes), None) => Ok(bytes),
        (Reading::TimedOut, _) => Err(ProgramVerdict::TimedOut),
        (Reading::TooMuch, _) => Err(ProgramVerdict::TooMuchOutput),
    }
}

/// How reading the child's output ended.
enum Reading {
    Ended(Vec<u8>),
    TimedOut,
    TooMuch,
}

/// Reads until the leader has ended, the deadline has passed or there is more output than the limit.
fn read_until_end(
    child: &Child,
    mut stdout: ChildStdout,
    limits: &SandboxLimits,
) -> Result<Reading, ProgramVerdict> {
    let failed = |error: io::Error| ProgramVerdict::NotRun(error.to_string());
    let deadline = Instant::now()
        + Duration::try_from_secs_f64(limits.wall_seconds).unwrap_or(Duration::MAX / 4);
    set_nonblocking(stdout.as_raw_fd()).map_err(failed)?;
    let mut output = Vec::new();
    let mut open = true;
    loop {
        // Checked before reading: everything that an ended child wrote is in the pipe by then.
        let ended = has_ended(child).map_err(failed)?;
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
                return Ok(Reading::TooMuch);
            }
            if Instant::now() > deadline {
                return Ok(Reading::TimedOut);
            }
        }
        if ended {
            return Ok(Reading::Ended(output));
        }
        if Instant::now() > deadline {
            return Ok(Reading::TimedOut);
        }
        wait_for_output(open.then(|| stdout.as_raw_fd()));
    }
}

/// Waits until there is something to read, for [`POLL_INTERVAL`] at most.
fn wait_for_output(stdout: Option<RawFd>) {
    let Some(fd) = stdout else {
        return std::thread::sleep(POLL_INTERVAL);
    };
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid descriptor record; an error only makes the wait shorter.
    unsafe { libc::poll(&mut poll, 1, POLL_INTERVAL.as_millis() as libc::c_int) };
}

fn set_nonblocking(fd: RawFd) -> io::Result<()> {
    // SAFETY: plain flag calls on a descriptor that this process owns.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    // SAFETY: as above.
    if flags < 0 || unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whether the leader has ended, without reaping it: reaping would free its process id, which is also the group's.
fn has_ended(child: &Child) -> io::Result<bool> {
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
    // SAFETY: the group was created for this child alone. That it no longer exists is not an error.
    unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGKILL) };
}

/// Sets what happens between fork and exec. The closure makes system calls and nothing else, as it must.
fn confine(command: &mut Command, limits: &SandboxLimits) -> io::Result<()> {
    let maxima = [
        (libc::RLIMIT_CPU, limits.cpu_seconds),
        (libc::RLIMIT_AS, limits.memory_bytes),
        (libc::RLIMIT_FSIZE, limits.file_bytes),
        (libc::RLIMIT_CORE, 0),
        // Counted per user but limited for this child alone: it may start no process. Root is exempt on Linux, where the
        // filter applies instead.
        (libc::RLIMIT_NPROC, 1),
    ];
    #[cfg(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ))]
    let filter = super::syscall_filter::SyscallFilter::compile().map_err(io::Error::other)?;
    // SAFETY: no allocation and no locks between fork and exec.
    unsafe {
        command.pre_exec(move || {
            for (resource, maximum) in maxima {
                let limit = libc::rlimit {
                    rlim_cur: maximum as libc::rlim_t,
                    rlim_max: maximum as libc::rlim_t,
                };
                // Fails on a system without this limit or with a lower one, which then applies.
                let _ = libc::setrlimit(resource, &limit);
            }
            #[cfg(target_os = "linux")]
            let _ = libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET);
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
