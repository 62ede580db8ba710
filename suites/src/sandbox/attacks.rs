//! What answers may try, and how they fare. Without `python3` there is nothing to test and each test says so.

use std::time::{Duration, Instant};

use super::{Confinement, Sandbox, SandboxError, SandboxLimits, Verdict};
use crate::{ProgramCheck, Value};

fn sandbox(change: impl FnOnce(&mut SandboxLimits)) -> Option<Sandbox> {
    let mut limits = SandboxLimits::default();
    change(&mut limits);
    match Sandbox::open(&limits) {
        Ok(sandbox) => Some(sandbox),
        Err(error @ SandboxError::NoPython(_)) => {
            eprintln!("nothing to test: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

/// Asks for a function that doubles.
fn doubles() -> ProgramCheck {
    ProgramCheck {
        function: "f".to_owned(),
        arguments: vec![Value::Integer(2), Value::Integer(5)],
        expected: vec![Value::Integer(4), Value::Integer(10)],
    }
}

fn verdict(source: &str) -> Option<Verdict> {
    Some(sandbox(|_| ())?.judge(source, &doubles()))
}

#[test]
fn right_and_wrong_answers() {
    let Some(right) = verdict("def f(x):\n    return 2 * x") else {
        return;
    };
    assert_eq!(right, Verdict::Passed);
    assert_eq!(
        verdict("def f(x):\n    return x * x")
            .map(|v| v.to_string())
            .as_deref(),
        Some("wrong: f(5) gave 25")
    );
    assert_eq!(
        verdict("def f(x):\n    return 2.0 * x")
            .map(|v| v.to_string())
            .as_deref(),
        Some("wrong: f(2) gave a float")
    );
    assert_eq!(
        verdict("def f(x)\n"),
        Some(Verdict::Raised("SyntaxError".to_owned()))
    );
    assert_eq!(
        verdict("def f(x):\n    return x / 0"),
        Some(Verdict::Raised("ZeroDivisionError".to_owned()))
    );
    assert_eq!(
        verdict("y = 1"),
        Some(Verdict::Raised("KeyError".to_owned()))
    );
}

#[test]
fn an_early_exit_proves_nothing() {
    for source in [
        "import os\nos._exit(0)",
        "def f(x):\n    import os\n    os._exit(0)",
    ] {
        let Some(given) = verdict(source) else { return };
        assert_eq!(given, Verdict::NoReport);
    }
    assert_eq!(
        verdict("import sys\nsys.exit(0)"),
        Some(Verdict::Raised("SystemExit".to_owned()))
    );
}

#[test]
fn a_forged_report_needs_the_nonce_and_with_it_still_needs_the_values() {
    let blind = "import os\nos.write(1, b'\\npassed\\n{\"calls\": [{\"value\": 4}, {\"value\": 10}]}\\n')\nos._exit(0)";
    let Some(given) = verdict(blind) else { return };
    assert_eq!(given, Verdict::NoReport);
    // The nonce can be dug out of the interpreter's frames; the expected values are not there to be found.
    let digging = "import os, sys\nframe = sys._getframe()\nwhile 'job' not in frame.f_locals:\n    frame = frame.f_back\n\
        job = frame.f_locals['job']\nnonce = job['nonce']\nassert sorted(job) == ['arguments', 'function', 'nonce', 'source']\n\
        os.write(1, (nonce + ' {\"calls\": [{\"value\": 1}, {\"value\": 1}]}\\n').encode())\nos._exit(0)";
    assert!(matches!(verdict(digging), Some(Verdict::Wrong { .. })));
}

#[test]
fn an_endless_loop_ends_at_the_limits() {
    let endless = "def f(x):\n    while True: pass";
    let Some(by_wall) = sandbox(|limits| limits.wall_seconds = 0.5) else {
        return;
    };
    let start = Instant::now();
    assert_eq!(by_wall.judge(endless, &doubles()), Verdict::TimedOut);
    let asleep = "def f(x):\n    import os, time\n    os.close(1)\n    time.sleep(60)";
    assert_eq!(by_wall.judge(asleep, &doubles()), Verdict::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(5));
    let Some(by_cpu) = sandbox(|limits| (limits.cpu_seconds, limits.wall_seconds) = (1, 30.0))
    else {
        return;
    };
    assert!(matches!(
        by_cpu.judge(endless, &doubles()),
        Verdict::Killed(_)
    ));
}

#[test]
#[cfg(target_os = "linux")]
fn a_huge_allocation_fails() {
    let Some(given) = verdict("def f(x):\n    return len(bytearray(1 << 33))") else {
        return;
    };
    assert_eq!(given, Verdict::Raised("MemoryError".to_owned()));
}

#[test]
fn huge_output_is_cut_off() {
    let source = "def f(x):\n    while True: print('x' * 10000)";
    let Some(given) = verdict(source) else { return };
    assert_eq!(given, Verdict::TooMuchOutput);
}

#[test]
fn a_child_of_the_child_does_not_outlive_the_verdict() {
    let Some(sandbox) = sandbox(|limits| limits.file_bytes = 1000) else {
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let marker = folder.path().join("marker");
    // A group of its own would escape where no filter stops it, so that is tried on Linux alone.
    let flee = if cfg!(target_os = "linux") {
        "os.setsid()"
    } else {
        "pass"
    };
    let source = format!(
        "import os, time\ntry:\n    child = os.fork()\nexcept OSError:\n    child = 1\nif child == 0:\n    \
         try:\n        {flee}\n    except OSError:\n        pass\n    time.sleep(1)\n    open({marker:?}, 'w').close()\n    \
         os._exit(0)\ndef f(x):\n    return 2 * x"
    );
    assert_eq!(sandbox.judge(&source, &doubles()), Verdict::Passed);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(!marker.exists());
}

#[test]
fn a_fork_bomb_is_stopped() {
    let Some(sandbox) = sandbox(|limits| limits.wall_seconds = 2.0) else {
        return;
    };
    let start = Instant::now();
    let bomb = "import os\ndef f(x):\n    while True:\n        os.fork()";
    assert!(!sandbox.judge(bomb, &doubles()).passed());
    assert!(start.elapsed() < Duration::from_secs(10));
    assert_eq!(
        sandbox.judge("def f(x):\n    return x + x", &doubles()),
        Verdict::Passed
    );
}

#[test]
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn the_network_files_and_this_process_are_out_of_reach() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    assert!(sandbox.network_denied());
    assert_eq!(sandbox.confinement(), Confinement::Full);
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
            Verdict::Raised("PermissionError".to_owned()),
            "{attempt}"
        );
    }
    assert_eq!(std::fs::read_to_string(&victim).expect("reads"), "precious");
}

#[test]
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn a_descriptor_for_reading_changes_nothing_outside() {
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
            Verdict::Raised("PermissionError".to_owned()),
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
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn shared_memory_queues_and_semaphores_are_out_of_reach() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let with_ctypes = "import ctypes\ndef f(x):\n    return 2 * x";
    if sandbox.judge(with_ctypes, &doubles()) != Verdict::Passed {
        return eprintln!("nothing to test: no ctypes");
    }
    // Private keys and removal at once, so that a filter that lets them pass leaves nothing behind.
    for attempt in [
        "made, control = c.shmget(0, 4096, 0o600), lambda i: c.shmctl(i, 0, None)",
        "made, control = c.msgget(0, 0o600), lambda i: c.msgctl(i, 0, None)",
        "made, control = c.semget(0, 1, 0o600), lambda i: c.semctl(i, 0, 0)",
        "made, control = c.syscall(452, -1, b'', 0, 0), None",
    ] {
        let source = format!(
            "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\ndef f(x):\n    {attempt}\n    \
             code = ctypes.get_errno()\n    if made >= 0: control(made)\n    \
             return 2 * x if made == -1 and code == 1 else code"
        );
        assert_eq!(
            sandbox.judge(&source, &doubles()),
            Verdict::Passed,
            "{attempt}"
        );
    }
}

#[test]
#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
fn a_missing_filter_is_noticed() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    assert_eq!(sandbox.confinement(), Confinement::Full);
    // The same attempts without any sandbox: all three succeed.
    let file = tempfile::NamedTempFile::new().expect("file");
    let script = format!("{}print(f({:?}))", super::python::ATTEMPTS, file.path());
    let output = std::process::Command::new(&sandbox.python)
        .args(["-I", "-S", "-c", &script])
        .output()
        .expect("runs");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "3");
}

#[test]
fn verdicts_keep_the_order_of_the_programs() {
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let check = doubles();
    let programs: Vec<(String, &ProgramCheck)> = (0..5)
        .map(|factor| (format!("def f(x):\n    return {factor} * x"), &check))
        .collect();
    let passed: Vec<bool> = sandbox
        .judge_all(&programs)
        .iter()
        .map(Verdict::passed)
        .collect();
    assert_eq!(passed, [false, false, true, false, false]);
    assert!(sandbox.judge_all(&[]).is_empty());
}
