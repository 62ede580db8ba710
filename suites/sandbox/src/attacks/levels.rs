//! Weaker restrictions: what each of them still denies, and that the self-check tells them apart.

use super::{assert_refused, doubles};
use crate::{Confinement, ProgramVerdict, Sandbox, SandboxLimits, interpreter, self_check};

fn with(confinement: Confinement) -> Option<Sandbox> {
    let limits = SandboxLimits {
        wall_seconds: 60.0,
        ..SandboxLimits::default()
    };
    let python = match interpreter::find() {
        Ok(python) => python,
        Err(error) => {
            eprintln!("skipped: {error}");
            return None;
        }
    };
    match Sandbox::with(&python, &limits, confinement).expect("runs") {
        Ok(sandbox) => Some(sandbox),
        Err(reason) => {
            eprintln!("skipped: {reason}");
            None
        }
    }
}

#[test]
fn without_isolation_the_self_check_succeeds_in_its_attacks() {
    let Some(open) = with(Confinement::LimitsOnly) else {
        return;
    };
    let limits = SandboxLimits::default();
    let judge = |program: &_| open.judge(program);
    let reason = self_check::attack(judge, &limits, Confinement::Isolated).expect_err("is open");
    // Not the memory, which is limited, none that needs root, and no new session of what leads a group.
    for attack in [
        "network",
        "write",
        "write_beside",
        "change_mode",
        "read",
        "list_folder",
        "signal_parent",
        "own_signals",
        "choose_signal",
        "notify",
        "file_in_memory",
        "see_parent",
    ] {
        assert!(
            reason.contains(&format!("'{attack}'")),
            "{attack}: {reason}"
        );
    }
    assert!(!reason.contains("'memory'"), "{reason}");
}

#[test]
fn programs_run_in_an_empty_folder() {
    for confinement in [
        Confinement::LimitsOnly,
        Confinement::Filtered,
        Confinement::Isolated,
    ] {
        let Some(sandbox) = with(confinement) else {
            continue;
        };
        let source = "import os\ndef f(x):\n    return [os.stat('.').st_nlink, os.path.exists('Cargo.toml')]";
        let tests = "expect('f(0)', f(0), [2, False])";
        let verdict = sandbox.judge(&super::tested(source, tests));
        assert_eq!(verdict, ProgramVerdict::Passed, "{confinement:?}");
    }
}

#[test]
fn the_filter_and_landlock_alone_deny_processes_files_and_the_network() {
    let Some(filtered) = with(Confinement::Filtered) else {
        return;
    };
    let honest = "import threading\ndef f(x):\n    return 2 * x";
    assert_eq!(filtered.judge(&doubles(honest)), ProgramVerdict::Passed);
    let parent = std::process::id();
    let (signal, thread) = (
        format!("os.kill({parent}, 0)"),
        format!(
            "c.syscall({}, {parent}, {parent}, 0) == 0 or os.fork()",
            libc::SYS_tgkill
        ),
    );
    assert_refused(
        &filtered,
        "import ctypes, os, socket\nc = ctypes.CDLL(None)",
        &[
            &signal,
            &thread,
            "os.fork()",
            "open('/etc/passwd').read()",
            "open('/tmp/isoflop-attack', 'w')",
            "os.mkdir('/tmp/isoflop-attack')",
            "os.listdir('/')",
            "socket.socket()",
            "os.memfd_create('x')",
        ],
    );
}
