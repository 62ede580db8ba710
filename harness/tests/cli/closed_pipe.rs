//! Standard output and standard error that cannot be written: the reader has gone, or the disk is full.

#![cfg(unix)]

use std::fs::{File, OpenOptions};
use std::os::unix::process::ExitStatusExt;
use std::process::{Output, Stdio};

use results::{Records, RunRow};

use crate::scratch::{Scratch, TINY};

/// The arguments of every command, for the folder of a finished sweep of [`TINY`].
const COMMANDS: [&[&str]; 13] = [
    &["plan", "sweep.toml", "--throughput", "1T"],
    &["plan", "sweep.toml", "--throughput", "1T", "--csv"],
    &["plan", "sweep.toml", "--throughput", "1T", "--json"],
    &[
        "match",
        "sweep.toml",
        "--block",
        "memory",
        "--equal",
        "params_total",
        "--reference",
        "memory",
        "--knob",
        "n_keys",
    ],
    &["sweep", "sweep.toml"],
    &["sweep", "sweep.toml", "--quiet"],
    &["status", "sweep.toml"],
    &["report", "sweep.toml"],
    &["compare", "tiny"],
    &["compare", "tiny", "--csv"],
    &["eval", "sweep.toml"],
    // Without time nothing is measured but the peak rates.
    &[
        "probe",
        "sweep.toml",
        "--tokens",
        "32",
        "--budget",
        "0s",
        "--only",
        "dense",
    ],
    &["--help"],
];

/// A pipe without a reader.
fn closed() -> Stdio {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    writer.into()
}

/// A file on a full disk; `None` on systems without one.
fn full() -> Option<Stdio> {
    OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .ok()
        .map(Stdio::from)
}

fn swept() -> Scratch {
    let scratch = Scratch::new(TINY);
    let ended = scratch.isoflop(&["sweep", "sweep.toml", "--quiet"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    scratch
}

fn ended(scratch: &Scratch, arguments: &[&str], out: Stdio, err: Stdio) -> Output {
    let mut command = scratch.command(arguments);
    command.stdout(out).stderr(err).output().unwrap()
}

/// Standard error, which has no message of a panic or of a pipe.
fn messages(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let lower = text.to_lowercase();
    for word in ["panick", "pipe", "backtrace"] {
        assert!(!lower.contains(word), "{text}");
    }
    text
}

/// As in `isoflop plan | head -0`.
#[test]
fn a_closed_standard_output_ends_a_command_without_a_message() {
    let scratch = swept();
    for arguments in COMMANDS {
        let output = ended(&scratch, arguments, closed(), Stdio::piped());
        let text = messages(&output);
        assert!(!text.contains("isoflop:"), "{arguments:?}: {text}");
        let status = output.status;
        assert_eq!(
            status.signal(),
            Some(libc::SIGPIPE),
            "{arguments:?}: {status}"
        );
    }
}

#[test]
fn a_full_standard_output_is_one_error() {
    let scratch = swept();
    for arguments in COMMANDS {
        let Some(full) = full() else { return };
        let output = ended(&scratch, arguments, full, Stdio::piped());
        let text = messages(&output);
        let last = text.lines().last().unwrap_or_default();
        assert!(
            last.starts_with("isoflop: cannot write to standard output: "),
            "{arguments:?}: {text}"
        );
        assert_eq!(text.matches("isoflop:").count(), 1, "{arguments:?}: {text}");
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
    }
}

#[test]
fn commands_continue_without_standard_error() {
    let scratch = swept();
    for arguments in COMMANDS {
        for err in [Some(closed()), full()] {
            let Some(err) = err else { continue };
            let output = ended(&scratch, arguments, Stdio::piped(), err);
            assert_eq!(
                output.status.code(),
                Some(0),
                "{arguments:?}: {}",
                output.status
            );
            assert!(!output.stdout.is_empty(), "{arguments:?}");
        }
    }
    // The message of an error is lost, its exit status is not.
    let output = ended(&scratch, &["plan", "absent.toml"], Stdio::piped(), closed());
    assert_eq!(output.status.code(), Some(2));
    let output = ended(&scratch, &["plan", "--absent"], Stdio::piped(), closed());
    assert_eq!(output.status.code(), Some(2));
}

/// As in `isoflop sweep smoke 2>&1 | head -1`.
#[test]
fn a_sweep_without_a_reader_trains_every_run() {
    for log in [None, Some("trace")] {
        let scratch = Scratch::new(TINY);
        let mut command = scratch.command(&["sweep", "sweep.toml"]);
        if let Some(level) = log {
            command.env("ISOFLOP_LOG", level);
        }
        let output = command.stdout(closed()).stderr(closed()).output().unwrap();
        assert_eq!(
            output.status.signal(),
            Some(libc::SIGPIPE),
            "{}",
            output.status
        );
        let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
        let runs = records.read::<RunRow>().unwrap();
        assert!(runs.iter().all(|run| run.status == "finished"), "{runs:?}");
        assert_eq!(runs.len(), 2);
        assert!(scratch.path("runs/tiny/report.html").exists());
    }
}

#[test]
fn a_failure_of_a_run_is_recorded_without_standard_error() {
    let diverging = TINY.replace(
        "learning_rate = 3e-3\n",
        "learning_rate = 9.0\nweight_decay = 9.0\nwarmup = 0.0\n",
    );
    let scratch = Scratch::new(&diverging.replace("tokens = 2_000", "tokens = 20_000"));
    let arguments = ["sweep", "sweep.toml", "--quiet", "--only", "dense"];
    let output = ended(&scratch, &arguments, Stdio::piped(), closed());
    assert_eq!(output.status.code(), Some(1), "{}", output.status);
    let records = Records::open(scratch.path("runs/tiny/records")).unwrap();
    assert_eq!(records.read::<RunRow>().unwrap()[0].status, "failed");
}

/// Root may write into any folder, but not into a file as if it were one, nor below /proc.
#[test]
fn an_output_folder_that_cannot_be_written_is_one_error_that_names_it() {
    let scratch = Scratch::new(TINY);
    File::create(scratch.path("file")).unwrap();
    for folder in ["file", "/proc/absent"] {
        for arguments in [
            ["sweep", "sweep.toml", "--output", folder],
            ["report", "sweep.toml", "--output", folder],
            ["eval", "sweep.toml", "--output", folder],
            ["probe", "sweep.toml", "--output", folder],
            ["compare", "tiny", "--output", folder],
        ] {
            if folder.starts_with("/proc") && !cfg!(target_os = "linux") {
                continue;
            }
            let arguments = match arguments[0] {
                "probe" => [&arguments[..], &["--budget", "0s", "--only", "dense"]].concat(),
                _ => arguments.to_vec(),
            };
            let output = ended(&scratch, &arguments, Stdio::piped(), Stdio::piped());
            let text = messages(&output);
            let errors: Vec<_> = text
                .lines()
                .filter(|line| line.starts_with("isoflop:"))
                .collect();
            assert_eq!(errors.len(), 1, "{arguments:?}: {text}");
            assert!(
                errors[0].contains(folder) || arguments[0] == "compare",
                "{text}"
            );
            assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}");
        }
        for arguments in [["status", "sweep.toml"], ["plan", "sweep.toml"]] {
            let arguments = [&arguments[..], &["--output", folder]].concat();
            let output = ended(&scratch, &arguments, Stdio::piped(), Stdio::piped());
            assert_eq!(
                (output.status.code(), messages(&output)),
                (Some(0), String::new())
            );
        }
    }
}

#[test]
fn neither_home_nor_git_nor_a_capable_terminal_is_needed() {
    let scratch = Scratch::new(TINY);
    std::fs::create_dir(scratch.path("bin")).unwrap();
    let fresh: &[&str] = &["sweep", "sweep.toml"];
    for arguments in std::iter::once(fresh).chain(COMMANDS) {
        let mut command = scratch.command(arguments);
        command.env_clear().env("TERM", "dumb");
        let output = command.env("PATH", scratch.path("bin")).output().unwrap();
        messages(&output);
        let status = output.status;
        assert_eq!(status.code(), Some(0), "{arguments:?}: {output:?}");
    }
}
