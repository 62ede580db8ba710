//! Ctrl-C during a sweep.

#![cfg(unix)]

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use results::{Records, RunRow, StepRow};

use crate::scratch::{Ended, Scratch, TINY};

#[test]
fn the_first_ctrl_c_stops_after_complete_rows() {
    let text = TINY.replace("tokens = 2_000", "tokens = 3_000_000");
    let scratch = Scratch::new(&text);
    let mut command = scratch.command(&["sweep", "sweep.toml"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut err = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("step 1/") {
        line.clear();
        assert!(
            err.read_line(&mut line).unwrap() > 0,
            "the sweep ended before its first step"
        );
    }
    // A batch system and the shell of its job may send the same request twice.
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: the child was started above and has not been waited for, so that its id is valid.
        let sent = unsafe { libc::kill(child.id() as libc::pid_t, signal) };
        assert_eq!(sent, 0);
    }
    let rest: Vec<String> = err.lines().map(Result::unwrap).collect();
    let ended = Ended::new(child.wait_with_output().unwrap());
    assert_eq!(ended.code, Some(130), "{rest:?}");
    assert!(
        rest.iter()
            .any(|line| line.contains("stopping after this step and a checkpoint")),
        "{rest:?}"
    );
    // Not at once: it came to the end of its command.
    assert!(
        rest.iter()
            .any(|line| line.contains("interrupted; run the same command again")),
        "{rest:?}"
    );

    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    assert_eq!(records.read::<RunRow>().unwrap(), []);
    let steps = records.read::<StepRow>().unwrap();
    assert!(!steps.is_empty());
    let status = scratch.isoflop(&["status", "sweep.toml"]).out;
    assert!(
        status.contains("stopped") && status.contains("at step ") && status.contains("missing"),
        "{status}"
    );
}
