//! The child process: started under limits, read under a deadline, killed with its group.

use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};

use super::{SandboxLimits, Verdict};

/// How long a wait for output may last before the child is looked at.
const GLANCE: Duration = Duration::from_millis(5);

/// Runs a script with `input` on its standard input and gives its standard output.
pub(super) fn run(
    python: &Path,
    limits: &SandboxLimits,
    script: &str,
    input: &str,
) -> Result<Vec<u8>, Verdict> {
    let failed = |error: io::Error| Verdict::NotRun(error.to_string());
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
    confine(&mut command, limits);
    let mut child = command.spawn().map_err(failed)?;
    let sent = child
        .stdin
        .take()
        .map_or(Ok(()), |mut stdin| stdin.write_all(input.as_bytes()));
    // A child that died early leaves a broken pipe; why it died is told by how it ended.
    let output = match (sent, child.stdout.take()) {
        (Err(error), _) if error.kind() != io::ErrorKind::BrokenPipe => Err(failed(error)),
        (_, None) => Err(Verdict::NotRun("no pipe to the child".to_owned())),
        (_, Some(stdout)) => follow(&child, stdout, limits),
    };
    // The leader is still unreaped here, so its number cannot have passed to a stranger's group.
    kill_group(&child);
    let status = child.wait().map_err(failed)?;
    match (output?, status.signal()) {
        (Followed::Ended(_), Some(signal)) => Err(Verdict::Killed(signal)),
        (Followed::Ended(bytes), None) => Ok(bytes),
        (Followed::TimedOut, _) => Err(Verdict::TimedOut),
        (Followed::TooMuch, _) => Err(Verdict::TooMuchOutput),
    }
}

enum Followed {
    Ended(Vec<u8>),
    TimedOut,
    TooMuch,
}

/// Reads until the leader has ended, the deadline has passed or the cap is reached.
fn follow(
    child: &Child,
    mut stdout: ChildStdout,
    limits: &SandboxLimits,
) -> Result<Followed, Verdict> {
    let failed = |error: io::Error| Verdict::NotRun(error.to_string());
    let deadline = Instant::now()
        + Duration::try_from_secs_f64(limits.wall_seconds).unwrap_or(Duration::MAX / 4);
    unblock(stdout.as_raw_fd()).map_err(failed)?;
    let mut output = Vec::new();
    let mut open = true;
    loop {
        // Whether it had ended is asked before reading: what it wrote by then is all in the pipe.
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
                return Ok(Followed::TooMuch);
            }
            if Instant::now() > deadline {
                return Ok(Followed::TimedOut);
            }
        }
        if ended {
            return Ok(Followed::Ended(output));
        }
        if Instant::now() > deadline {
            return Ok(Followed::TimedOut);
        }
        glance(open.then(|| stdout.as_raw_fd()));
    }
}

/// Waits a moment, or until there is something to read.
fn glance(stdout: Option<RawFd>) {
    let Some(fd) = stdout else {
        return std::thread::sleep(GLANCE);
    };
    let mut poll = libc::pollfd {
        fd,
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one valid descriptor record; an error only makes the wait shorter.
    unsafe { libc::poll(&mut poll, 1, GLANCE.as_millis() as libc::c_int) };
}

fn unblock(fd: RawFd) -> io::Result<()> {
    // SAFETY: plain flag calls on a descriptor that this process owns.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    // SAFETY: as above.
    if flags < 0 || unsafe { libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK) } < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whether the leader has ended, without reaping it: reaping would free its number, and with it the group's.
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
    // SAFETY: the group was made for this child alone. That it is already gone is no error.
    unsafe { libc::kill(-(child.id() as libc::pid_t), libc::SIGKILL) };
}

/// Everything between fork and exec. The closure only makes system calls, as it must.
fn confine(command: &mut Command, limits: &SandboxLimits) {
    let caps = [
        (libc::RLIMIT_CPU, limits.cpu_seconds),
        (libc::RLIMIT_AS, limits.memory_bytes),
        (libc::RLIMIT_FSIZE, limits.file_bytes),
        (libc::RLIMIT_CORE, 0),
        // Counted per user, but only this child is held to it: it may start nothing (root is exempt on Linux, where
        // the filter steps in).
        (libc::RLIMIT_NPROC, 1),
    ];
    #[cfg(all(
        target_os = "linux",
        any(target_arch = "x86_64", target_arch = "aarch64")
    ))]
    let filter = super::seccomp::program();
    // SAFETY: no allocation and no locks between fork and exec.
    unsafe {
        command.pre_exec(move || {
            for (resource, cap) in caps {
                let limit = libc::rlimit {
                    rlim_cur: cap as libc::rlim_t,
                    rlim_max: cap as libc::rlim_t,
                };
                // A system without the limit, or with a lower one, keeps its own.
                let _ = libc::setrlimit(resource, &limit);
            }
            #[cfg(target_os = "linux")]
            let _ = libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET);
            #[cfg(all(
                target_os = "linux",
                any(target_arch = "x86_64", target_arch = "aarch64")
            ))]
            super::seccomp::install(&filter);
            Ok(())
        });
    }
}
