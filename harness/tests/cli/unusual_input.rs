//! Sweep files that are no files of text, and labels that look like paths or act on a terminal.

#![cfg(unix)]

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::scratch::{Ended, Scratch, TINY};

/// The output of a command that ends within ten seconds.
fn ended_soon(mut command: Command) -> Ended {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let clock = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if clock.elapsed() > Duration::from_secs(10) {
            child.kill().unwrap();
            panic!("{command:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ended::new(child.wait_with_output().unwrap())
}

#[test]
fn pipes_devices_folders_and_huge_files_are_errors_at_once() {
    let scratch = Scratch::new(TINY);
    fs::create_dir(scratch.path("folder.toml")).unwrap();
    let made = Command::new("mkfifo")
        .arg(scratch.path("pipe.toml"))
        .status();
    assert!(made.unwrap().success());
    // No blocks are allocated.
    let huge = File::create(scratch.path("huge.toml")).unwrap();
    huge.set_len(1 << 33).unwrap();
    let mut comment = String::from("# ");
    comment.push_str(&"a".repeat(1 << 20));
    fs::write(scratch.path("long.toml"), comment).unwrap();
    for (file, reason) in [
        ("folder.toml", "a folder"),
        ("pipe.toml", "no regular file"),
        ("/dev/zero", "no regular file"),
        ("/dev/tty", ""),
        ("huge.toml", "larger than 1048576 bytes"),
        ("long.toml", "larger than 1048576 bytes"),
    ] {
        for name in ["plan", "sweep", "status", "probe"] {
            let ended = ended_soon(scratch.command(&[name, file]));
            assert_eq!(ended.code, Some(2), "{ended:?}");
            let start = format!("isoflop: {file}: cannot be read (");
            assert!(
                ended.err.starts_with(&start) && ended.err.contains(reason),
                "{ended:?}"
            );
            assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
        }
    }
    assert!(!scratch.path("runs").exists());
}

#[test]
fn standard_input_is_a_sweep_file_of_bounded_size() {
    let scratch = Scratch::new(TINY);
    let planned = |text: &[u8]| {
        let mut command = scratch.command(&["plan", "/dev/stdin", "--throughput", "1T"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        // A command that does not read all of it closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(text);
        Ended::new(child.wait_with_output().unwrap())
    };
    let ended = planned(TINY.as_bytes());
    assert!(
        ended.code == Some(0) && ended.out.starts_with("tiny: 2 runs"),
        "{ended:?}"
    );
    let ended = planned(&[b'#'; 1 << 22]);
    assert!(
        ended.code == Some(2) && ended.err.contains("larger than"),
        "{ended:?}"
    );
}

/// Paths below a folder, relative to it.
fn files(folder: &Path, below: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files(&path, below, found),
            false => {
                let path = path.strip_prefix(below).unwrap();
                found.insert(path.to_string_lossy().into_owned());
            }
        }
    }
}

#[test]
fn labels_that_look_like_paths_write_nothing_outside_the_folder_of_the_sweep() {
    let text = TINY
        .replace("[blocks.memory]", "[blocks.\"../../../memory\"]")
        .replace("[sizes.xs]", "[sizes.\"/etc/xs\"]");
    let scratch = Scratch::new(&text);
    fs::create_dir_all(scratch.path("a/b")).unwrap();
    let arguments = ["sweep", "sweep.toml", "--output", "a/b/out", "--csv"];
    let ended = scratch.isoflop(&arguments);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("../../../memory"), "{ended:?}");
    let mut found = BTreeSet::new();
    files(&scratch.path(""), &scratch.path(""), &mut found);
    found.remove("sweep.toml");
    assert!(
        found
            .iter()
            .all(|path| path.starts_with("a/b/out/tiny/") || path.starts_with("a/b/out/.cache/")),
        "{found:?}"
    );
    assert!(found.contains("a/b/out/tiny/report.html"));
}

#[test]
fn escape_sequences_are_printed_as_escapes() {
    let scratch =
        Scratch::new(&TINY.replace("kind = \"memory\"", "kind = \"\\u001b[2J\\u0000\\n\""));
    for arguments in [
        &["plan", "sweep.toml"][..],
        &["plan", "\u{1b}[2J.toml"],
        &["plan", "quick", "--only", "\u{1b}[2J"],
    ] {
        let ended = scratch.isoflop(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 1, "{ended:?}");
        assert!(ended.err.contains("\\u{1b}[2J"), "{ended:?}");
        assert!(
            !ended.err.contains('\u{1b}') && !ended.err.contains('\0'),
            "{ended:?}"
        );
    }
}

#[test]
fn messages_shorten_long_values() {
    let long = "a".repeat(100_000);
    let scratch = Scratch::new(&TINY.replace("kind = \"memory\"", &format!("kind = \"{long}\"")));
    for arguments in [
        &["plan", "sweep.toml"][..],
        &["plan", &long],
        &["plan", "quick", "--only", &long],
    ] {
        let ended = scratch.isoflop(arguments);
        assert_eq!(ended.code, Some(2), "{ended:?}");
        assert!(
            ended.err.len() < 2100 && ended.err.lines().count() == 1,
            "{ended:?}"
        );
    }
}
