//! Programs whose system calls the filter must deny.

use super::{doubles, expected_confinement, sandbox};
use crate::sandbox::ProgramVerdict;

#[test]
fn network_files_and_other_processes_are_inaccessible() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    assert!(sandbox.network_denied());
    assert_eq!(sandbox.confinement(), expected_confinement());
    let folder = tempfile::tempdir().expect("folder");
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").expect("writes");
    for attempt in [
        format!("open({victim:?}, 'w')"),
        format!("open({victim:?}, 'a')"),
        format!("os.remove({victim:?})"),
        format!("os.rename({victim:?}, 'x')"),
        "os.kill(os.getppid(), 9)".to_owned(),
        "os.system('true') and os.fork()".to_owned(),
        "socket.socket(socket.AF_UNIX)".to_owned(),
    ] {
        let source = format!("import os, socket\ndef f(x):\n    {attempt}\n    return 2 * x");
        let given = sandbox.judge(&source, &doubles());
        assert_eq!(
            given,
            ProgramVerdict::Raised("PermissionError".to_owned()),
            "{attempt}"
        );
    }
    assert_eq!(std::fs::read_to_string(&victim).expect("reads"), "precious");
}

#[test]
fn a_read_only_descriptor_cannot_change_a_file() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};

    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let victim = folder.path().join("victim");
    std::fs::write(&victim, "precious").expect("writes");
    std::fs::set_permissions(&victim, std::fs::Permissions::from_mode(0o640)).expect("sets");
    let before = std::fs::metadata(&victim).expect("is there");
    for attempt in [
        "os.fchmod(fd, 0o777)",
        "os.chmod(path, 0o777)",
        "os.fchown(fd, os.getuid(), os.getgid())",
        "os.chown(path, os.getuid(), os.getgid())",
        "os.lchown(path, os.getuid(), os.getgid())",
        "os.utime(fd, (1, 1))",
        "os.utime(path, (1, 1))",
        "os.setxattr(fd, 'user.mark', b'1')",
        "os.setxattr(path, 'user.mark', b'1')",
        "os.setxattr(path, 'user.mark', b'1', follow_symlinks=False)",
        "os.removexattr(fd, 'user.mark')",
        "os.removexattr(path, 'user.mark')",
        "os.removexattr(path, 'user.mark', follow_symlinks=False)",
    ] {
        let source = format!(
            "import os\npath = {victim:?}\nfd = os.open(path, os.O_RDONLY)\ndef f(x):\n    {attempt}\n    return 2 * x"
        );
        let given = sandbox.judge(&source, &doubles());
        assert_eq!(
            given,
            ProgramVerdict::Raised("PermissionError".to_owned()),
            "{attempt}"
        );
    }
    let after = std::fs::metadata(&victim).expect("is there");
    assert_eq!(
        (before.mode(), before.mtime(), before.ctime_nsec()),
        (after.mode(), after.mtime(), after.ctime_nsec())
    );
}

#[test]
fn shared_memory_queues_and_semaphores_are_inaccessible() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let with_ctypes = "import ctypes\ndef f(x):\n    return 2 * x";
    if sandbox.judge(with_ctypes, &doubles()) != ProgramVerdict::Passed {
        return eprintln!("skipped: no ctypes");
    }
    // Objects are private and are removed at once, so that none remain if the filter allows their creation.
    for attempt in [
        "made, control = c.shmget(0, 4096, 0o600), lambda i: c.shmctl(i, 0, None)",
        "made, control = c.msgget(0, 0o600), lambda i: c.msgctl(i, 0, None)",
        "made, control = c.semget(0, 1, 0o600), lambda i: c.semctl(i, 0, 0)",
    ] {
        let source = format!(
            "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\ndef f(x):\n    {attempt}\n    \
             code = ctypes.get_errno()\n    if made >= 0: control(made)\n    \
             return 2 * x if made == -1 and code == 1 else code"
        );
        assert_eq!(
            sandbox.judge(&source, &doubles()),
            ProgramVerdict::Passed,
            "{attempt}"
        );
    }
}

#[test]
fn a_missing_filter_is_detected() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    assert_eq!(sandbox.confinement(), expected_confinement());
    // The same attempts without the sandbox: all succeed.
    let file = tempfile::NamedTempFile::new().expect("file");
    let script = format!(
        "{}print(f({:?}))",
        crate::sandbox::probes::ATTEMPTS,
        file.path()
    );
    let output = std::process::Command::new(&sandbox.python.executable)
        .args(["-I", "-S", "-c", &script])
        .stdin(std::process::Stdio::piped())
        .output()
        .expect("runs");
    let open = String::from_utf8_lossy(&output.stdout);
    assert_eq!(open.trim(), "[0, 1, 2, 3, 4, 5, 6]");
}

#[test]
fn newer_calls_appear_absent_and_x32_calls_are_denied() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let with_ctypes = "import ctypes\ndef f(x):\n    return 2 * x";
    if sandbox.judge(with_ctypes, &doubles()) != ProgramVerdict::Passed {
        return eprintln!("skipped: no ctypes");
    }
    let (absent, denied) = (libc::ENOSYS, libc::EPERM);
    let x32_getpid = cfg!(target_arch = "x86_64").then_some((0x4000_0027, denied));
    // clone3, openat2, pidfd_open, io_uring_setup, memfd_secret, fchmodat2, setxattrat, file_setattr, and two that no
    // kernel has yet.
    let newer = [435, 437, 434, 425, 447, 452, 463, 469, 470, 900];
    let calls = newer.map(|call| (call, absent));
    for (call, errno) in calls.into_iter().chain(x32_getpid) {
        let source = format!(
            "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\ndef f(x):\n    \
             made = c.syscall(ctypes.c_long({call}), 0, 0, 0, 0)\n    code = ctypes.get_errno()\n    \
             return 2 * x if made == -1 and code == {errno} else code"
        );
        assert_eq!(
            sandbox.judge(&source, &doubles()),
            ProgramVerdict::Passed,
            "{call}"
        );
    }
}
