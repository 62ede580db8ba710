//! The sandbox as root and as an ordinary user.

use std::io::{self, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use super::{doubles, sandbox};
use crate::process::ResourceLimits;
use crate::{Confinement, Launcher, ProgramVerdict, SandboxLimits, interpreter};

/// A user that exists nowhere.
const ORDINARY: u32 = 54_321;

fn is_root() -> bool {
    // SAFETY: the call only returns a number.
    unsafe { libc::geteuid() == 0 }
}

#[test]
fn the_process_has_namespaces_of_its_own_and_no_privileges() {
    // Only where the sandbox opens at all.
    if sandbox(|_| ()).is_none() {
        return;
    }
    let python = interpreter::find().expect("is there");
    let limits = SandboxLimits::default();
    let launcher = Launcher::prepare(&python, &limits, Confinement::Isolated).expect("is prepared");
    let (reader, mut writer) = io::pipe().expect("a pipe");
    let (told, tell) = io::pipe().expect("a pipe");
    let script = "import sys, os\nos.write(1, b'1')\nsys.stdin.read()";
    let resources = ResourceLimits {
        cpu_seconds: 2,
        memory_bytes: 1 << 29,
        file_bytes: 1 << 20,
        threads: Some(4),
    };
    let descriptors = [reader.as_fd(), tell.as_fd(), tell.as_fd()];
    let mut process = launcher
        .start(script, &descriptors, resources)
        .expect("starts");
    io::Read::read_exact(&mut &told, &mut [0]).expect("runs");
    let folder = format!("/proc/{}", process.id());
    let status = std::fs::read_to_string(format!("{folder}/status")).expect("reads");
    let field = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name));
        let words: Vec<&str> = line.expect("is there").split_whitespace().skip(1).collect();
        words
    };
    let user = match is_root() {
        true => "60700".to_owned(),
        // SAFETY: the call only returns a number.
        false => unsafe { libc::geteuid() }.to_string(),
    };
    assert_eq!(field("Uid:"), [user.as_str(); 4], "{status}");
    for capabilities in ["CapInh:", "CapPrm:", "CapEff:", "CapBnd:", "CapAmb:"] {
        assert_eq!(field(capabilities), ["0000000000000000"], "{capabilities}");
    }
    assert_eq!(field("NoNewPrivs:"), ["1"]);
    assert_eq!(field("Seccomp:"), ["2"]);
    assert_eq!(field("NSpid:")[1..], ["1"], "the first of its namespace");
    for namespace in ["user", "mnt", "pid", "net", "ipc", "uts"] {
        let of = |process: &str| {
            std::fs::read_link(format!("/proc/{process}/ns/{namespace}")).expect("is there")
        };
        assert_ne!(of(&process.id().to_string()), of("self"), "{namespace}");
    }
    let _ = writer.write_all(b"end");
    process.kill().expect("ends");
}

#[test]
fn an_ordinary_user_isolates_as_well() {
    if !is_root() {
        return eprintln!("skipped: not root, all other tests are those of an ordinary user");
    }
    let folder = tempfile::tempdir().expect("folder");
    let executable = folder.path().join("tests");
    std::fs::copy(std::env::current_exe().expect("is known"), &executable).expect("copies");
    for path in [folder.path(), &executable] {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).expect("sets");
    }
    let output = Command::new(&executable)
        .args([
            "--exact",
            "attacks::users::isolated_child",
            "--ignored",
            "--nocapture",
        ])
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .current_dir("/")
        .uid(ORDINARY)
        .gid(ORDINARY)
        .output()
        .expect("starts");
    let text = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    if text.contains("skipped: ") {
        return eprintln!("skipped for the ordinary user: {text}");
    }
    assert!(
        output.status.success() && text.contains("1 passed"),
        "{text}"
    );
}

/// What the ordinary user runs.
#[test]
#[ignore = "run by an_ordinary_user_isolates_as_well"]
fn isolated_child() {
    assert!(!is_root());
    let Some(sandbox) = sandbox(|_| ()) else {
        return;
    };
    let honest = "import threading\ndef f(x):\n    return 2 * x";
    assert_eq!(sandbox.judge(&doubles(honest)), ProgramVerdict::Passed);
    let parent = std::process::id();
    let signal = format!("os.kill({parent}, 0)");
    super::assert_refused(
        &sandbox,
        "import os",
        &[&signal, "os.fork()", "open('/etc/passwd')"],
    );
}

#[test]
fn programs_end_with_the_process_that_started_them() {
    if sandbox(|_| ()).is_none() {
        return;
    }
    let python = interpreter::find().expect("is there");
    let launcher = Launcher::prepare(&python, &SandboxLimits::default(), Confinement::Isolated)
        .expect("is prepared");
    let resources = ResourceLimits {
        cpu_seconds: 9,
        memory_bytes: 1 << 29,
        file_bytes: 1 << 20,
        threads: Some(4),
    };
    // The thread that started it is its parent: the kernel kills the child when the thread ends.
    let process = std::thread::scope(|scope| {
        let start = || {
            let (reader, _writer) = io::pipe().expect("a pipe");
            let descriptors = [reader.as_fd(); 3];
            let script = "import time\ntime.sleep(60)";
            launcher
                .start(script, &descriptors, resources)
                .expect("starts")
        };
        scope.spawn(start).join().expect("starts")
    });
    let has_ended = (0..200).any(|_| {
        std::thread::sleep(Duration::from_millis(10));
        process.has_ended().expect("is known")
    });
    assert!(has_ended);
}
