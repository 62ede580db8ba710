//! Programs that send signals through descriptors, use memory that the address space does not include, and read files.

use std::os::fd::AsRawFd;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use super::{doubles, expected_confinement, sandbox};
use crate::sandbox::{Confinement, ProgramVerdict, Sandbox};

#[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
/// The sandbox, unless Python has no `ctypes`.
fn with_ctypes() -> Option<Sandbox> {
    let sandbox = sandbox(|_| ())?;
    let source = "import ctypes\ndef f(x):\n    return 2 * x";
    let passes = sandbox.judge(source, &doubles()) == ProgramVerdict::Passed;
    if !passes {
        eprintln!("skipped: no ctypes");
    }
    passes.then_some(sandbox)
}

/// Asserts that each statement raises `PermissionError` after `setup`.
fn assert_denied(sandbox: &Sandbox, setup: &str, attempts: &[&str]) {
    for attempt in attempts {
        let source = format!("{setup}\ndef f(x):\n    {attempt}\n    return 2 * x");
        assert_eq!(
            sandbox.judge(&source, &doubles()),
            ProgramVerdict::Raised("PermissionError".to_owned()),
            "{attempt}"
        );
    }
}

#[test]
fn no_process_is_killed_by_the_signals_of_a_descriptor() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let mut victim = Command::new("sleep")
        .arg("60")
        .stdin(Stdio::null())
        .spawn()
        .expect("starts");
    let pid = victim.id();
    // F_SETSIG is 10, F_SETOWN_EX 15, FIOASYNC 0x5452, FIOSETOWN 0x8901, SIOCSPGRP 0x8902, SIGKILL 9.
    let owned = [
        format!("fcntl.fcntl(r, fcntl.F_SETOWN, {pid})"),
        format!("fcntl.fcntl(r, 15, struct.pack('ii', 1, {pid}))"),
        format!("fcntl.ioctl(r, 0x8901, struct.pack('i', {pid}))"),
        format!("fcntl.ioctl(r, 0x8902, struct.pack('i', {pid}))"),
    ];
    let asynchronous = [
        "fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC)",
        "fcntl.fcntl(r, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)",
        "fcntl.ioctl(r, 0x5452, struct.pack('i', 1))",
    ];
    // Each step alone may fail; all combinations are tried at once.
    let steps: Vec<&str> = owned
        .iter()
        .map(String::as_str)
        .chain(["fcntl.fcntl(r, 10, 9)"])
        .chain(asynchronous)
        .collect();
    let tried: String = steps
        .iter()
        .map(|step| format!("try:\n    {step}\nexcept OSError:\n    pass\n"))
        .collect();
    let setup = "import fcntl, os, struct\nr, w = os.pipe()\n";
    let source = format!("{setup}{tried}os.write(w, b'x')\ndef f(x):\n    return 2 * x");
    let given = sandbox.judge(&source, &doubles());
    std::thread::sleep(std::time::Duration::from_millis(100));
    let state = victim.try_wait().expect("waits");
    let _ = victim.kill();
    let _ = victim.wait();
    assert_eq!((given, state), (ProgramVerdict::Passed, None));
    assert_denied(&sandbox, setup, &steps);
    // What is allowed remains so.
    let source = format!(
        "{setup}def f(x):\n    fcntl.fcntl(r, fcntl.F_SETFL, os.O_NONBLOCK)\n    os.set_inheritable(os.dup(r), \
         True)\n    return 2 * x if fcntl.fcntl(r, fcntl.F_GETFL) & os.O_NONBLOCK else 0"
    );
    assert_eq!(sandbox.judge(&source, &doubles()), ProgramVerdict::Passed);
}

#[test]
fn a_signal_to_another_process_cannot_be_queued_by_thread() {
    let Some(sandbox) = with_ctypes() else { return };
    let mut victim = Command::new("sleep").arg("60").spawn().expect("starts");
    let pid = victim.id();
    // SIGKILL with the code of `sigqueue`, which the kernel permits to other processes of the user.
    let source = format!(
        "import ctypes, struct\nc = ctypes.CDLL(None, use_errno=True)\ninfo = struct.pack('iii', 9, 0, -1) + bytes(116)\n\
         def f(x):\n    made = c.syscall(ctypes.c_long({}), {pid}, {pid}, 9, info)\n    \
         return 2 * x if made == -1 and ctypes.get_errno() == 1 else 0",
        libc::SYS_rt_tgsigqueueinfo
    );
    let given = sandbox.judge(&source, &doubles());
    let _ = victim.kill();
    let _ = victim.wait();
    assert_eq!(given, ProgramVerdict::Passed);
}

#[test]
fn attributes_of_files_cannot_be_set_through_ioctl() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    // FS_IOC_SETFLAGS and FS_IOC_FSSETXATTR.
    let attempts = [
        "fcntl.ioctl(fd, 0x40086602, struct.pack('l', 0))",
        "fcntl.ioctl(fd, 0x401c5820, bytes(28))",
    ];
    assert_denied(
        &sandbox,
        "import fcntl, os, struct\nfd = os.open(os.__file__, os.O_RDONLY)",
        &attempts,
    );
}

#[test]
fn memory_outside_the_address_space_cannot_be_allocated() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    // F_SETPIPE_SZ is 1031, F_SETLK and F_SETLEASE lock files.
    let attempts = [
        "os.posix_fallocate(os.memfd_create('x'), 0, 1 << 20)",
        "os.memfd_create('x', 4)",
        "os.ftruncate(r, 1 << 20)",
        "os.posix_fallocate(r, 0, 1 << 20)",
        "fcntl.fcntl(r, 1031, 1 << 20)",
        "os.open('/dev/shm/isoflop', os.O_RDWR | os.O_CREAT)",
        "fcntl.lockf(r, fcntl.LOCK_SH)",
        "fcntl.flock(r, fcntl.LOCK_SH)",
        "fcntl.fcntl(r, fcntl.F_SETLEASE, fcntl.F_RDLCK)",
    ];
    assert_denied(&sandbox, "import fcntl, os\nr, w = os.pipe()", &attempts);
    // Full pipes hold at most 2 MiB; shared anonymous memory is in the address space.
    let pipes = "import os\ndef f(x):\n    while True:\n        os.pipe()";
    assert_eq!(
        sandbox.judge(pipes, &doubles()),
        ProgramVerdict::Raised("OSError".to_owned())
    );
    let shared = "import mmap\ndef f(x):\n    return [mmap.mmap(-1, 1 << 28) for _ in range(4)]";
    assert_eq!(
        sandbox.judge(shared, &doubles()),
        ProgramVerdict::Raised("OSError".to_owned())
    );
    let threads = "import threading\ndef f(x):\n    threading.Thread(target=print).start()";
    assert_eq!(
        sandbox.judge(threads, &doubles()),
        ProgramVerdict::Raised("RuntimeError".to_owned())
    );
}

#[test]
fn calls_that_pin_memory_outside_the_limits_are_denied() {
    let Some(sandbox) = with_ctypes() else { return };
    for call in [
        libc::SYS_memfd_create,
        libc::SYS_vmsplice,
        libc::SYS_io_setup,
        libc::SYS_userfaultfd,
        libc::SYS_add_key,
        libc::SYS_perf_event_open,
        libc::SYS_inotify_init1,
        libc::SYS_setrlimit,
    ] {
        let source = format!(
            "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\ndef f(x):\n    \
             made = c.syscall(ctypes.c_long({call}), 0, 0, 0, 0, 0)\n    \
             return 2 * x if made == -1 and ctypes.get_errno() == 1 else ctypes.get_errno()"
        );
        assert_eq!(
            sandbox.judge(&source, &doubles()),
            ProgramVerdict::Passed,
            "{call}"
        );
    }
}

#[test]
fn files_other_than_the_interpreters_cannot_be_read() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    if expected_confinement() != Confinement::Full {
        return eprintln!("skipped: the kernel has no Landlock");
    }
    let folder = tempfile::tempdir().expect("folder");
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "#!/bin/sh\n").expect("writes");
    let runnable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&victim, runnable).expect("sets");
    let reading = format!("raise ValueError(open({victim:?}).read())");
    let as_name = format!("raise type(open({victim:?}).read(), (Exception,), {{}})");
    let listing = format!("os.listdir({:?})", folder.path());
    let executing = format!("os.execv({victim:?}, ['x'])");
    let attempts = [
        &reading[..],
        &as_name,
        &listing,
        &executing,
        "open('/etc/passwd').read()",
        "open('/proc/self/environ').read()",
        "open(f'/proc/{os.getppid()}/environ').read()",
        "open('/proc/self/mem', 'rb')",
        "os.listdir('/')",
        "os.listdir('/proc')",
        "os.open('/dev/tty', os.O_RDONLY)",
    ];
    assert_denied(&sandbox, "import os", &attempts);
}

#[test]
fn the_standard_library_can_be_imported() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let source = "import bisect, collections, dataclasses, datetime, decimal, fractions, functools, hashlib, heapq\n\
        import itertools, json, math, operator, random, re, statistics, string, typing, unicodedata\n\
        def f(x):\n    return 2 * x";
    assert_eq!(sandbox.judge(source, &doubles()), ProgramVerdict::Passed);
}

#[test]
fn descriptors_of_this_process_are_not_inherited() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let file = tempfile::tempfile().expect("file");
    let fd = file.as_raw_fd();
    // SAFETY: the call changes a flag of a descriptor that this test owns.
    assert_eq!(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }, 0);
    let source = format!("import os\ndef f(x):\n    os.fstat({fd})\n    return 2 * x");
    assert_eq!(
        sandbox.judge(&source, &doubles()),
        ProgramVerdict::Raised("OSError".to_owned())
    );
}
