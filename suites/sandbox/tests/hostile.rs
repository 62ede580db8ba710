//! Programs that are wrong or hostile: each one fails, and nothing outside changes. An attack returns the right results if it succeeds.

#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::net::TcpListener;
use std::process::Command;

use sandbox::{Policy, Program, ProgramVerdict, Sandbox, SandboxError, SandboxLimits};

/// Programs, each after a line with its name. The first is honest.
const PROGRAMS: &str = include_str!("hostile/programs.py");
/// Fewer would be a mistake in the file.
const FEWEST: usize = 60;

const TESTS: &str = "\
def check(candidate):
    assert candidate(2) == 4
    assert candidate(7) == 14
    assert candidate([1, 2]) == [1, 2, 1, 2]
    assert candidate('ab') == 'abab'
check(f)
";

/// The sandbox, unless this system cannot isolate.
fn sandbox(limits: &SandboxLimits) -> Option<Sandbox> {
    match Sandbox::open(limits, Policy::Isolated) {
        Ok(sandbox) => Some(sandbox),
        Err(error @ (SandboxError::NoPython(_) | SandboxError::NotIsolated(_))) => {
            eprintln!("skipped: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn every_hostile_program_fails_and_changes_nothing() {
    let limits = SandboxLimits {
        wall_seconds: 4.0,
        cpu_seconds: 1,
        ..SandboxLimits::default()
    };
    let Some(sandbox) = sandbox(&limits) else {
        return;
    };
    let folder = tempfile::tempdir().expect("folder");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "planted").expect("writes");
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("listens");
    listener.set_nonblocking(true).expect("sets");
    let mut bystander = Command::new("sleep").arg("600").spawn().expect("starts");
    let words = [
        ("PARENT", std::process::id().to_string()),
        ("BYSTANDER", bystander.id().to_string()),
        ("SECRET", secret.display().to_string()),
        (
            "PORT",
            listener.local_addr().expect("is bound").port().to_string(),
        ),
        ("TGKILL", libc::SYS_tgkill.to_string()),
    ];
    let mut names = Vec::new();
    let mut programs = Vec::new();
    for part in PROGRAMS.split("#### ").skip(1) {
        let (name, source) = part.split_once('\n').expect("a name");
        let mut source = source.to_owned();
        for (word, value) in &words {
            source = source.replace(word, value);
        }
        names.push(name);
        programs.push(Program {
            source,
            names: vec!["f".to_owned()],
            tests: TESTS.to_owned(),
            ..Program::default()
        });
    }
    assert!(programs.len() > FEWEST, "{}", programs.len());
    let verdicts = sandbox.judge_all(&programs, &|_| (), &|| false);
    let state = bystander.try_wait().expect("waits");
    let _ = bystander.kill();
    let _ = bystander.wait();
    assert_eq!(state, None, "the bystander lives");
    assert_eq!(std::fs::read(&secret).expect("reads"), b"planted");
    assert!(listener.accept().is_err(), "nothing connected");
    assert_eq!(verdicts[0], ProgramVerdict::Passed, "{}", names[0]);
    for (name, verdict) in names.iter().zip(&verdicts).skip(1) {
        eprintln!("{name}: {verdict}");
        assert!(
            !matches!(verdict, ProgramVerdict::NotRun(_)),
            "{name}: {verdict}"
        );
        assert!(!verdict.passed(), "{name}");
    }
}
