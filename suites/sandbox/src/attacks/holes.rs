//! What programs could do in an earlier sandbox, which denied a list of calls: send signals through descriptors, use memory that no limit
//! counted, read the user's files, and, as root, change files and the parent.

use std::os::fd::AsRawFd;
use std::process::{Command, Stdio};

use super::{assert_calls_fail, assert_refused, doubles, sandbox};
use crate::ProgramVerdict;

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
    let given = sandbox.judge(&doubles(&source));
    std::thread::sleep(std::time::Duration::from_millis(100));
    let state = victim.try_wait().expect("waits");
    let _ = victim.kill();
    let _ = victim.wait();
    assert_eq!((given, state), (ProgramVerdict::Passed, None));
    assert_refused(&sandbox, setup, &steps);
    // What is allowed remains so.
    let source = format!(
        "{setup}def f(x):\n    fcntl.fcntl(r, fcntl.F_SETFL, os.O_NONBLOCK)\n    os.set_inheritable(os.dup(r), \
         True)\n    return 2 * x if fcntl.fcntl(r, fcntl.F_GETFL) & os.O_NONBLOCK else 0"
    );
    assert_eq!(sandbox.judge(&doubles(&source)), ProgramVerdict::Passed);
}

#[test]
fn no_signal_is_queued_to_a_thread_of_another_process() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let mut victim = Command::new("sleep").arg("60").spawn().expect("starts");
    // SIGKILL with the code of `sigqueue`, which the kernel permits to other processes of the user.
    let information = "struct.pack('iii', 9, 0, -1) + bytes(116)";
    let arguments = format!("{0}, {0}, 9, {information}", victim.id());
    let calls = [(libc::SYS_rt_tgsigqueueinfo, arguments.as_str())];
    assert_calls_fail(&sandbox, &calls, libc::EPERM);
    let state = victim.try_wait().expect("waits");
    let _ = victim.kill();
    let _ = victim.wait();
    assert_eq!(state, None);
}

#[test]
fn all_memory_is_counted() {
    let Some(sandbox) = sandbox(|limits| limits.memory_bytes = 256 << 20) else {
        return;
    };
    // F_SETPIPE_SZ is 1031.
    assert_refused(
        &sandbox,
        "import fcntl, os\nr, w = os.pipe()",
        &[
            "os.posix_fallocate(os.memfd_create('x'), 0, 1 << 20)",
            "os.memfd_create('x', 4)",
            "os.ftruncate(r, 1 << 20)",
            "os.posix_fallocate(r, 0, 1 << 20)",
            "fcntl.fcntl(r, 1031, 1 << 20)",
            "os.open('/dev/shm/isoflop', os.O_RDWR | os.O_CREAT)",
            "while True: os.pipe()",
        ],
    );
    for (source, exception) in [
        (
            "def f(x):\n    return len(bytearray(1 << 28))",
            "MemoryError",
        ),
        (
            "import mmap\ndef f(x):\n    return [mmap.mmap(-1, 1 << 27, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS) for _ in range(4)]",
            "OSError",
        ),
        // Shared memory without a file stays when all but a page of it is unmapped.
        (
            "import mmap\ndef f(x):\n    m = mmap.mmap(-1, 1 << 20)\n    m.resize(4096)\n    return 2 * x",
            "PermissionError",
        ),
        // Temporary files: all together, each, and holes that are mapped.
        (
            "def f(x):\n    for i in range(64): open(f'/tmp/{i}', 'wb').write(bytes(1 << 19))",
            "OSError",
        ),
        (
            "def f(x):\n    open('/tmp/a', 'wb').write(bytes(1 << 22))",
            "OSError",
        ),
        (
            "import mmap\ndef f(x):\n    file = open('/tmp/a', 'w+b')\n    file.truncate(1 << 30)\n    mmap.mmap(file.fileno(), 0)",
            "OSError",
        ),
        (
            "import threading\ndef f(x):\n    for _ in range(1000): threading.Thread(target=threading.Event().wait, daemon=True).start()",
            "RuntimeError",
        ),
        (
            "def f(x):\n    for i in range(5000): open(f'/tmp/{i}', 'w').close()",
            "OSError",
        ),
    ] {
        let verdict = sandbox.judge(&doubles(source));
        assert_eq!(super::exception(&verdict), Some(exception), "{source}");
    }
}

#[test]
fn page_tables_are_memory_of_the_program() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    // A page of each of 60,000 gibibytes: 0.23 GiB of address space, and twice as much in tables.
    let source = "import ctypes\nc = ctypes.CDLL(None)\nc.mmap.restype = ctypes.c_void_p\ndef f(x):\n    \
                  for i in range(60000):\n        at = (1 << 40) + (i << 30)\n        \
                  c.mmap(ctypes.c_void_p(at), 4096, 3, 0x32, -1, 0)\n        ctypes.memset(at, 1, 1)\n    \
                  import time\n    time.sleep(30)\n    return 2 * x";
    assert_eq!(
        sandbox.judge(&doubles(source)),
        ProgramVerdict::TooMuchMemory
    );
}

#[test]
fn files_other_than_the_interpreters_cannot_be_read() {
    use std::os::unix::fs::PermissionsExt;

    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "#!/bin/sh\n").expect("writes");
    let runnable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(&victim, runnable).expect("sets");
    let reading = format!("raise ValueError(open({victim:?}).read())");
    let as_name = format!("raise type(open({victim:?}).read(), (Exception,), {{}})");
    let listing = format!("os.listdir({:?})", folder.path());
    let executing = format!("os.execv({victim:?}, ['x'])");
    assert_refused(
        &sandbox,
        "import os",
        &[
            &reading,
            &as_name,
            &listing,
            &executing,
            "open('/etc/passwd').read()",
            "open('/etc/shadow').read()",
            "open('/proc/self/environ').read()",
            "open('/proc/1/environ').read()",
            "open(f'/proc/{os.getppid()}/environ').read()",
            "open('/proc/self/mem', 'rb')",
            "os.listdir('/proc')",
            "os.listdir('/sys')",
            "os.stat('/dev')",
            "os.open('/dev/tty', os.O_RDONLY)",
            "open('/bin/sh', 'rb')",
        ],
    );
}

#[test]
fn root_has_no_powers_inside() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let parent = std::process::id();
    let before = affinity();
    let attempts = [
        format!("os.setpriority(os.PRIO_PROCESS, {parent}, 19)"),
        format!("os.sched_setaffinity({parent}, [0])"),
        "os.setuid(0)".to_owned(),
        "os.chroot('/tmp')".to_owned(),
        "os.mknod('/tmp/device', 0o20600, os.makedev(1, 3))".to_owned(),
        "os.sethostname('mine') if hasattr(os, 'sethostname') else os.nice(-1)".to_owned(),
    ];
    let attempts: Vec<&str> = attempts.iter().map(String::as_str).collect();
    assert_refused(&sandbox, "import os", &attempts);
    assert_eq!(affinity(), before);
    let source = "import os, platform\ndef f(x):\n    \
                  return 2 * x if 0 not in os.getresuid() + os.getresgid() and platform.node() == 'sandbox' else 0";
    assert_eq!(sandbox.judge(&doubles(source)), ProgramVerdict::Passed);
}

/// Number of processors that this process may use.
fn affinity() -> usize {
    std::thread::available_parallelism().map_or(0, usize::from)
}

#[test]
fn descriptors_and_the_environment_are_not_inherited() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let file = tempfile::tempfile().expect("file");
    let fd = file.as_raw_fd();
    // SAFETY: the call changes a flag of a descriptor that this test owns.
    assert_eq!(unsafe { libc::fcntl(fd, libc::F_SETFD, 0) }, 0);
    assert_refused(
        &sandbox,
        "import os",
        &[&format!("os.fstat({})", fd.max(12))],
    );
    let source = "import os\ndef f(x):\n    return sorted(os.environ)";
    let tests = "assert f(0) == ['HOME', 'LANG', 'MALLOC_ARENA_MAX', 'PATH', 'PYTHONHASHSEED', 'TMPDIR', 'TZ']";
    let verdict = sandbox.judge(&super::tested(source, tests));
    // The interpreter adds LC_CTYPE in the C locale.
    assert_eq!(verdict, ProgramVerdict::Passed);
}
