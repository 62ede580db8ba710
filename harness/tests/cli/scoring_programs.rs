//! `isoflop score --run-code`: answers that are programs.

#![cfg(unix)]
#![allow(clippy::print_stderr, reason = "a test that is skipped says so")]

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::scratch::{Ended, Scratch};

/// A task with two questions, and answers: one right and one wrong for each, of which the wrong ones are `other`.
fn scratch(other: &str) -> Scratch {
    let scratch = Scratch::new("");
    let task = "name = \"doubles\"\nversion = 1\nsplit = \"all\"\nrows = 2\nsource.files = [\"doubles.jsonl\"]\n\
                text = \"{{ q }}\"\n[program]\nreference = \"a\"\nsource = \"{{ response }}\"\nnames = \"a | definitions\"\n\
                tests = \"assert f(2) == 4\"\nstop = [\"STOP\"]\nseconds = 60\n";
    let records = "{\"q\": \"Double.\", \"a\": \"def f(x): return 2 * x\"}\n{\"q\": \"Again.\", \"a\": \"def f(x): return x + x\"}\n";
    let right = "def f(x):\n    return x + x\nSTOP and more";
    let answers: String = (0..2)
        .map(|doc_id| {
            let line = serde_json::json!({"doc_id": doc_id, "responses": [right, other]});
            line.to_string() + "\n"
        })
        .collect();
    std::fs::write(scratch.path("doubles.toml"), task).unwrap();
    std::fs::write(scratch.path("doubles.jsonl"), records).unwrap();
    std::fs::write(scratch.path("answers.jsonl"), answers).unwrap();
    scratch
}

const SCORE: [&str; 7] = [
    "score",
    "--task",
    "./doubles.toml",
    "--data",
    ".",
    "--answers",
    "answers.jsonl",
];

/// Whether this system isolates programs.
fn isolates(ended: &Ended) -> bool {
    let missing = ["does not isolate programs", "python3 was not found"];
    let skips = missing.iter().any(|words| ended.err.contains(words));
    if skips {
        eprintln!("skipped: {}", ended.err);
    }
    !skips
}

#[test]
fn programs_are_not_run_unless_it_is_asked_for() {
    let scratch = scratch("open('mark', 'w')");
    let without = scratch.isoflop(&SCORE);
    assert_eq!(without.code, Some(2), "{without:?}");
    assert!(
        without.err.contains("--run-code") && without.err.lines().count() == 1,
        "{without:?}"
    );
    let alone = scratch.isoflop(&[&SCORE[..], &["--unsafe"]].concat());
    assert_eq!(alone.code, Some(2), "{alone:?}");
    assert!(!scratch.path("mark").exists());
}

#[test]
fn programs_have_pass_at_k_and_a_verdict_each() {
    let mark = "import os\nopen(os.path.abspath('mark'), 'w')\ndef f(x):\n    return 0";
    let scratch = scratch(mark);
    let run = [&SCORE[..], &["--run-code", "--quiet"]].concat();
    let csv = scratch.isoflop(&[&run[..], &["--csv", "--verdicts", "verdicts.jsonl"]].concat());
    if !isolates(&csv) {
        return;
    }
    assert_eq!(csv.code, Some(0), "{csv:?}");
    let row = |metric: &str| -> Vec<String> {
        let line = csv
            .out
            .lines()
            .find(|line| line.contains(&format!(",{metric},")));
        line.unwrap().split(',').map(str::to_owned).collect()
    };
    assert_eq!(
        (row("pass@1")[6].as_str(), row("pass@2")[6].as_str()),
        ("0.5", "1.0"),
        "{csv:?}"
    );
    let verdicts = std::fs::read_to_string(scratch.path("verdicts.jsonl")).unwrap();
    let first: serde_json::Value = serde_json::from_str(verdicts.lines().next().unwrap()).unwrap();
    assert_eq!(first["doc_id"], 0);
    assert_eq!(first["passed"], serde_json::json!([true, false]));
    assert_eq!(first["verdicts"][0], "passed");
    assert_eq!(
        first["verdicts"][1],
        "raised AssertionError in line 1 of the tests"
    );
    assert!(!scratch.path("mark").exists(), "written inside");
    let json = scratch.isoflop(&[&run[..], &["--json"]].concat());
    let found: serde_json::Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!(found["results"]["doubles"]["pass@2,none"], 1.0);
}

#[test]
fn an_interrupt_kills_the_programs() {
    let scratch = scratch("while True: pass");
    let mut command = scratch.command(&[&SCORE[..], &["--run-code"]].concat());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    let start = Instant::now();
    std::thread::sleep(Duration::from_secs(5));
    // SAFETY: the call has no memory effects; the child is not waited for.
    unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGINT) };
    let ended = Ended::new(child.wait_with_output().unwrap());
    if !isolates(&ended) {
        return;
    }
    // Each program may take 60 seconds of CPU time.
    assert_eq!(
        (ended.code, ended.out.as_str()),
        (Some(130), ""),
        "{ended:?}"
    );
    assert!(start.elapsed() < Duration::from_secs(30));
}
