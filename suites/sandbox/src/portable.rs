//! Processes under limits alone, on Unix systems other than Linux.

use std::ffi::{CStr, OsStr};
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::confinement::Confinement;
use crate::interpreter::Interpreter;
use crate::limits::SandboxLimits;
use crate::process::{ENVIRONMENT, OPTIONS, Process, ResourceLimits};

/// What all processes of a sandbox share.
pub(crate) struct Launcher {
    executable: PathBuf,
    folder: tempfile::TempDir,
}

impl Launcher {
    /// Prepares processes with these restrictions.
    ///
    /// # Errors
    /// If more than limits is required.
    pub fn prepare(
        python: &Interpreter,
        _: &SandboxLimits,
        confinement: Confinement,
    ) -> io::Result<Self> {
        if confinement != Confinement::LimitsOnly {
            return Err(io::Error::other("programs are isolated on Linux alone"));
        }
        Ok(Self {
            executable: python.executable.clone(),
            folder: tempfile::tempdir()?,
        })
    }

    /// Starts the interpreter on a script.
    ///
    /// # Arguments
    /// * `descriptors`: those of the new process, from 0.
    ///
    /// # Errors
    /// If the process cannot be created.
    pub fn start(
        &self,
        script: &str,
        descriptors: &[BorrowedFd<'_>],
        limits: ResourceLimits,
    ) -> io::Result<Process> {
        let mut command = Command::new(&self.executable);
        let text = |text: &CStr| OsStr::from_bytes(text.to_bytes()).to_owned();
        command
            .args(OPTIONS.iter().map(|option| text(option)))
            .arg(script)
            .current_dir(self.folder.path())
            .env_clear()
            .envs(ENVIRONMENT.iter().filter_map(|pair| pair.split_once('=')))
            .process_group(0);
        let mut standard = descriptors.iter().take(3).map(|descriptor| {
            let own = descriptor.try_clone_to_owned();
            own.map(Stdio::from)
        });
        let mut next = || standard.next().unwrap_or_else(|| Ok(Stdio::null()));
        command.stdin(next()?).stdout(next()?).stderr(next()?);
        let others: Vec<(RawFd, RawFd)> = descriptors
            .iter()
            .enumerate()
            .skip(3)
            .map(|(number, descriptor)| (descriptor.as_raw_fd(), number as RawFd))
            .collect();
        // SAFETY: the closure makes only system calls, without allocation or locks.
        unsafe {
            command.pre_exec(move || {
                for (descriptor, number) in &others {
                    // Equal ones would keep the flag that closes them.
                    let moved = libc::fcntl(*descriptor, libc::F_DUPFD, ABOVE);
                    if moved < 0 || libc::dup2(moved, *number) < 0 {
                        return Err(io::Error::last_os_error());
                    }
                    libc::close(moved);
                }
                // A program starts no process.
                let threads = Some(1);
                ResourceLimits { threads, ..limits }.apply();
                Ok(())
            });
        }
        let child = command.spawn()?;
        Ok(Process::new(child.id() as libc::pid_t))
    }
}

/// Descriptors are moved above this one before they are given their numbers.
const ABOVE: RawFd = 48;
