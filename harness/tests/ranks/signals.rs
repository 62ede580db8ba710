//! Signals to one of several processes.

#![cfg(unix)]

use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::mpirun::{mpirun, rows};
use crate::scratch::{Ended, Scratch, TINY};

/// Two blocks, many steps, and a checkpoint every few of them.
fn many_steps(tokens: usize) -> String {
    TINY.replace("tokens = 2_000", &format!("tokens = {tokens}"))
        + "\n[training.checkpoint]\nevery_steps = 3\n"
}

/// Waits until there is a checkpoint.
fn wait_for_checkpoint(folder: &Path, child: &mut Child) {
    let begun = Instant::now();
    let found = || {
        let runs = std::fs::read_dir(folder).ok()?;
        runs.flatten()
            .flat_map(|run| {
                std::fs::read_dir(run.path())
                    .into_iter()
                    .flatten()
                    .flatten()
            })
            .find(|entry| entry.file_name().to_string_lossy().starts_with("step-"))
    };
    while found().is_none() {
        assert!(child.try_wait().unwrap().is_none(), "the sweep ended early");
        assert!(begun.elapsed() < Duration::from_secs(300));
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The process of rank `rank` that works in the folder of `scratch`.
fn process_of_rank(scratch: &Scratch, rank: usize) -> libc::pid_t {
    let variable = format!("OMPI_COMM_WORLD_RANK={rank}");
    let folder = scratch.path("").canonicalize().unwrap();
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let found = processes.filter_map(|entry| {
        let id: libc::pid_t = entry.file_name().to_str()?.parse().ok()?;
        let environment = std::fs::read(entry.path().join("environ")).ok()?;
        let is_rank = environment
            .split(|byte| *byte == 0)
            .any(|own| own == variable.as_bytes());
        (is_rank && std::fs::read_link(entry.path().join("cwd")).ok()? == folder).then_some(id)
    });
    found.last().unwrap()
}

fn signal(process: libc::pid_t, signal: libc::c_int) {
    // SAFETY: the process was started by this test and its id was read just now.
    let sent = unsafe { libc::kill(process, signal) };
    assert_eq!(sent, 0);
}

/// Sends `signal` to rank 1 of two after the first checkpoint; what the command printed.
fn signalled(scratch: &Scratch, output: &str, kind: libc::c_int) -> Option<Ended> {
    let mut command = mpirun(scratch, 2, output)?;
    let command = command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let checkpoints = scratch.path(&format!("{output}/tiny/checkpoints"));
    wait_for_checkpoint(&checkpoints, &mut child);
    signal(process_of_rank(scratch, 1), kind);
    Some(Ended::new(child.wait_with_output().unwrap()))
}

fn weights(scratch: &Scratch, output: &str) -> Vec<(String, String, u64)> {
    let runs = rows(scratch, output).0.into_iter();
    runs.map(|row| (row.run, row.weights_hash, row.resumes))
        .collect()
}

#[test]
fn ranks_end_with_one_that_is_killed_and_the_run_continues_to_the_same_weights() {
    let scratch = Scratch::new(&many_steps(12_000));
    let Some(killed) = signalled(&scratch, "killed", libc::SIGKILL) else {
        return;
    };
    assert_ne!(killed.code, Some(0));
    let text = format!("{}{}", killed.out, killed.err);
    assert!(
        text.contains("rank 1") && text.contains("signal 9"),
        "{text}"
    );
    for output in ["killed", "whole"] {
        let ended = Ended::new(mpirun(&scratch, 2, output).unwrap().output().unwrap());
        assert_eq!(ended.code, Some(0), "{ended:?}");
    }
    let (killed, whole) = (weights(&scratch, "killed"), weights(&scratch, "whole"));
    assert!(
        killed.iter().any(|(_, _, resumes)| *resumes == 1),
        "{killed:?}"
    );
    let hashes = |rows: &[(String, String, u64)]| {
        rows.iter()
            .map(|row| (row.0.clone(), row.1.clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(hashes(&killed), hashes(&whole));
}

#[test]
fn a_signal_to_one_rank_stops_all_after_a_checkpoint() {
    let scratch = Scratch::new(&many_steps(12_000));
    let Some(stopped) = signalled(&scratch, "stopped", libc::SIGTERM) else {
        return;
    };
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    assert!(stopped.err.contains("interrupted"), "{stopped:?}");
    let (runs, steps) = rows(&scratch, "stopped");
    assert_eq!(runs, []);
    assert!(!steps.is_empty());
    let ended = Ended::new(mpirun(&scratch, 2, "stopped").unwrap().output().unwrap());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(
        weights(&scratch, "stopped")
            .iter()
            .any(|(_, _, resumes)| *resumes == 1)
    );
}
