//! Programs that exceed the limits or attempt to run after their verdict.

use std::time::{Duration, Instant};

use super::{doubles, sandbox, verdict};
use crate::sandbox::ProgramVerdict;

#[test]
fn an_infinite_loop_is_terminated_at_the_limits() {
    let endless = "def f(x):\n    while True: pass";
    let Some(by_wall) = sandbox(|limits| limits.wall_seconds = 0.5) else {
        return;
    };
    let start = Instant::now();
    assert_eq!(by_wall.judge(endless, &doubles()), ProgramVerdict::TimedOut);
    let asleep = "def f(x):\n    import os, time\n    os.close(1)\n    time.sleep(60)";
    assert_eq!(by_wall.judge(asleep, &doubles()), ProgramVerdict::TimedOut);
    assert!(start.elapsed() < Duration::from_secs(5));
    let Some(by_cpu) = sandbox(|limits| (limits.cpu_seconds, limits.wall_seconds) = (1, 30.0))
    else {
        return;
    };
    assert!(matches!(
        by_cpu.judge(endless, &doubles()),
        ProgramVerdict::Killed(_)
    ));
}

#[test]
#[cfg(target_os = "linux")]
fn an_allocation_above_the_limit_fails() {
    let Some(given) = verdict("def f(x):\n    return len(bytearray(1 << 33))") else {
        return;
    };
    assert_eq!(given, ProgramVerdict::Raised("MemoryError".to_owned()));
}

#[test]
fn a_program_with_too_much_output_is_terminated() {
    let source = "def f(x):\n    while True: print('x' * 10000)";
    let Some(given) = verdict(source) else { return };
    assert_eq!(given, ProgramVerdict::TooMuchOutput);
}

#[test]
fn processes_started_by_the_child_are_killed_with_it() {
    let Some(sandbox) = sandbox(|limits| limits.file_bytes = 1000) else {
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let marker = folder.path().join("marker");
    // A new session is not killed with the group unless the filter denies it, so it is attempted on Linux only.
    let escape = if cfg!(target_os = "linux") {
        "os.setsid()"
    } else {
        "pass"
    };
    let source = format!(
        "import os, time\ntry:\n    child = os.fork()\nexcept OSError:\n    child = 1\nif child == 0:\n    \
         try:\n        {escape}\n    except OSError:\n        pass\n    time.sleep(1)\n    open({marker:?}, 'w').close()\n    \
         os._exit(0)\ndef f(x):\n    return 2 * x"
    );
    assert_eq!(sandbox.judge(&source, &doubles()), ProgramVerdict::Passed);
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
        ProgramVerdict::Passed
    );
}
