//! Standard output into a pipe whose reader has closed it.

#![cfg(unix)]

use std::os::unix::process::ExitStatusExt;
use std::process::Stdio;

use crate::scratch::{Scratch, TINY};

/// As in `isoflop plan | head -0`.
#[test]
fn a_closed_standard_output_ends_a_command_without_a_message() {
    let scratch = Scratch::new(TINY);
    let mut child = scratch
        .command(&["plan", "sweep.toml", "--throughput", "1T"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    let error = String::from_utf8(ended.stderr).unwrap();
    assert!(error.is_empty(), "{error}");
    assert_eq!(ended.status.signal(), Some(libc::SIGPIPE));
}
