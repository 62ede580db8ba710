//! Runs that are killed and continued, and runs that several processes share.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rand::Rng;
use results::{Frames, Records};

use crate::scratch::{Ended, Scratch, TINY};

/// Runs of [`every_block`].
const RUNS: usize = 15;

/// Every block, some in bf16 too, with checkpoints every few steps, and moments that remain after the run.
fn every_block(tokens: usize) -> String {
    let blocks = r#"
[blocks."memory+"]
kind = "memory"
placement = "middle"
keys = { n_keys = 8, n_heads = 2, top_k = 4 }
gate = true
shared_values = true

[blocks.peer]
kind = "peer"
placement = "middle"
keys = { n_keys = 8, n_heads = 2, top_k = 4 }

[blocks.moe]
kind = "mixture_of_experts"
sizes = ["xs"]
n_experts = 3

[blocks.deepseek]
kind = "deepseek_moe"
sizes = ["xs"]
n_experts = 3
top_k = 1

[blocks.mlp]
kind = "mlp"
sizes = ["xs"]

[blocks.ultra]
kind = "ultra_mem"
sizes = ["xs"]
placement = "middle"
n_keys = 8
top_k = 4

[blocks.engram]
kind = "engram"
placement = "middle"
site = "before_attention"
n_rows = 31

[blocks.bigram]
kind = "hashed_bigram"
sizes = ["xs"]
placement = "middle"
site = "before_attention"
n_rows = 31
"#;
    let half = r#"
[sizes.half]
d_model = 16
n_heads = 2
tokens = 2_000
numeric_format = "bf16"

[sizes.half.training]
table_moments = "bf16"
"#;
    TINY.replace("\n[suites]\n", &format!("{half}{blocks}\n[suites]\n"))
        .replace("tokens = 2_000", &format!("tokens = {tokens}"))
        .replace("validations = 2", "validations = 3")
        + "\n[training.checkpoint]\nevery_steps = 3\nkeep_best = true\n"
}

/// What must be equal bit for bit: all rows without times, memory, place and command; all files of weights and of the best
/// checkpoint.
fn outcome(sweep: &Path) -> BTreeMap<String, String> {
    let records = Records::open(sweep.join("records")).unwrap();
    let frames: Frames = records.read_all().unwrap();
    let mut outcome = BTreeMap::new();
    for (table, frame) in frames.tables().unwrap() {
        for column in frame.columns() {
            let timed = [
                "wall_s",
                "tokens_per_s",
                "flop_per_s",
                "peak_memory_bytes",
                "train_wall_s",
                "eval_wall_s",
                "started",
                "resumes",
            ];
            if !timed.contains(&column.name().as_str()) {
                let values = column.as_materialized_series().iter();
                let values: Vec<String> = values.map(|value| format!("{value:?}")).collect();
                outcome.insert(format!("{table}.{}", column.name()), values.join("\n"));
            }
        }
    }
    for folder in ["weights", "checkpoints"] {
        for file in files(&sweep.join(folder)) {
            if !file.ends_with("state.json") {
                let hash = blake3::hash(&std::fs::read(&file).unwrap()).to_hex();
                let name = file.strip_prefix(sweep).unwrap().display().to_string();
                outcome.insert(name, hash.to_string());
            }
        }
    }
    outcome
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(self::files(&path)),
            false => files.push(path),
        }
    }
    files
}

fn is_temporary(path: &Path) -> bool {
    let name = path.file_name().unwrap().to_string_lossy();
    name.starts_with(".writing-")
}

fn spawn(scratch: &Scratch, output: &str, more: &[&str]) -> Child {
    let arguments = [&["sweep", "sweep.toml", "--output", output], more].concat();
    let mut command = scratch.command(&arguments);
    let command = command.stdout(Stdio::null()).stderr(Stdio::piped());
    command.spawn().unwrap()
}

/// Shown with `--nocapture`.
#[allow(clippy::print_stdout)]
fn show(text: &str) {
    println!("{text}");
}

fn signal(child: &Child, signal: libc::c_int) {
    // SAFETY: the child was started by this process and has not been waited for, so that its id is valid.
    unsafe { libc::kill(child.id() as libc::pid_t, signal) };
}

fn assert_equal(found: &BTreeMap<String, String>, expected: &BTreeMap<String, String>) {
    let names = |of: &BTreeMap<String, String>| of.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(found), names(expected));
    for (name, value) in expected {
        assert_eq!(&found[name], value, "{name}");
    }
}

/// Kills sweeps at random times, `kills` times in all, and compares each that ends with one that was never interrupted.
fn killed_and_continued(kills: usize, tokens: usize) {
    let scratch = Scratch::new(&every_block(tokens));
    let clock = Instant::now();
    let whole = scratch.isoflop(&["sweep", "sweep.toml", "--output", "whole", "--quiet"]);
    assert_eq!(whole.code, Some(0), "{whole:?}");
    let whole_time = clock.elapsed();
    let expected = outcome(&scratch.path("whole/tiny"));
    assert!(
        expected.keys().any(|name| name.contains("moments-0")),
        "{:?}",
        expected.keys()
    );

    let mut random = random::stream(kills as u64, "kills", 0);
    let (mut killed, mut ended, mut attempt) = (0, 0, 0);
    while killed < kills {
        attempt += 1;
        let output = format!("killed-{attempt}");
        // Of each sweep's kills some are early, in preparation, and some late, in evaluation.
        let at_once = random.random_range(2..=8).min(kills - killed);
        for _ in 0..at_once {
            let mut child = spawn(&scratch, &output, &["--quiet"]);
            std::thread::sleep(whole_time.mul_f64(random.random_range(0.0..0.5)));
            let ending = [libc::SIGKILL, libc::SIGKILL, libc::SIGTERM, libc::SIGINT];
            signal(&child, ending[random.random_range(0..ending.len())]);
            child.wait().unwrap();
            killed += 1;
        }
        let last = scratch.isoflop(&["sweep", "sweep.toml", "--output", &output, "--quiet"]);
        assert_eq!(last.code, Some(0), "{last:?}");
        assert_equal(
            &outcome(&scratch.path(&format!("{output}/tiny"))),
            &expected,
        );
        ended += 1;
        // Temporary files that a killed process left may remain for an hour.
        let claims = files(&scratch.path(&format!("{output}/tiny/claims"))).into_iter();
        let left: Vec<PathBuf> = claims.filter(|path| !is_temporary(path)).collect();
        assert!(left.is_empty(), "{left:?}");
        std::fs::remove_dir_all(scratch.path(&output)).unwrap();
    }
    let values = expected.len();
    show(&format!(
        "{killed} kills, {ended} sweeps compared, {values} values and files each"
    ));
}

#[test]
fn a_killed_sweep_ends_with_the_same_bits() {
    killed_and_continued(5, 4_000);
}

/// `cargo test --release --workspace --test cli -- --ignored --nocapture kills`
#[test]
#[ignore = "takes many minutes"]
fn many_kills_end_with_the_same_bits() {
    let kills = std::env::var("ISOFLOP_KILLS").map_or(60, |kills| kills.parse().unwrap());
    killed_and_continued(kills, 6_000);
}

#[test]
fn processes_share_the_runs_of_a_folder_and_do_none_twice() {
    let scratch = Scratch::new(&every_block(3_000));
    let children: Vec<Child> = (0..4)
        .map(|_| spawn(&scratch, "shared", &["--threads", "1"]))
        .collect();
    let ended: Vec<Ended> = children
        .into_iter()
        .map(|child| Ended::new(child.wait_with_output().unwrap()))
        .collect();
    let mut begun = 0;
    for ended in &ended {
        assert_eq!(ended.code, Some(0), "{ended:?}");
        begun += ended.err.matches(": step 1/").count();
    }
    assert_eq!(begun, RUNS, "{ended:#?}");
    let frames = Records::open(scratch.path("shared/tiny/records")).unwrap();
    let frames = frames.read_all().unwrap();
    assert_eq!(frames.runs().len(), RUNS);
    assert!(frames.runs().iter().all(|run| run.status == "finished"));
    let alone = scratch.isoflop(&["sweep", "sweep.toml", "--output", "alone", "--threads", "1"]);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    let outcome = |output: &str| outcome(&scratch.path(output));
    assert_equal(&outcome("shared/tiny"), &outcome("alone/tiny"));
}

#[test]
fn jobs_give_the_same_bits_and_stop_with_the_command() {
    let scratch = Scratch::new(&every_block(3_000));
    let jobs = scratch.isoflop(&["sweep", "sweep.toml", "--output", "jobs", "--jobs", "3"]);
    assert_eq!(jobs.code, Some(0), "{jobs:?}");
    assert!(jobs.out.contains("jobs/tiny/report.html"), "{jobs:?}");
    assert_eq!(jobs.err.matches("finished in").count(), RUNS, "{jobs:?}");
    let alone = scratch.isoflop(&["sweep", "sweep.toml", "--output", "alone", "--threads", "1"]);
    assert_eq!(alone.code, Some(0), "{alone:?}");
    let mut equal = [
        outcome(&scratch.path("jobs/tiny")),
        outcome(&scratch.path("alone/tiny")),
    ];
    // Each of three processes has an equal share of the threads, but at least one.
    equal
        .iter_mut()
        .for_each(|outcome| drop(outcome.remove("runs.threads")));
    equal
        .iter_mut()
        .for_each(|outcome| drop(outcome.remove("runs.command")));
    assert_equal(&equal[0], &equal[1]);

    let mut endless =
        scratch.command(&["sweep", "sweep.toml", "--output", "stopped", "--jobs", "2"]);
    std::fs::write(scratch.path("sweep.toml"), every_block(3_000_000)).unwrap();
    let mut endless = endless
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let running = |count: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !scratch
            .isoflop(&["status", "sweep.toml", "--output", "stopped"])
            .out
            .contains(count)
        {
            assert!(Instant::now() < deadline, "{count}");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    running("2 running");
    // Even if the command itself is killed, its processes stop after their step.
    signal(&endless, libc::SIGKILL);
    endless.wait().unwrap();
    running("2 stopped");
}

#[test]
fn status_shows_who_executes_a_run_and_a_killed_one_is_taken_over() {
    let scratch = Scratch::new(&TINY.replace("tokens = 2_000", "tokens = 3_000_000"));
    let mut child = spawn(&scratch, "runs", &["--only", "dense"]);
    let status = |wanted: &str| {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            let status = scratch.isoflop(&["status", "sweep.toml"]);
            if status.out.contains(wanted) {
                return status.out;
            }
            assert!(Instant::now() < deadline, "{status:?}");
            std::thread::sleep(Duration::from_millis(200));
        }
    };
    let running = status("steps/s");
    assert!(
        running.contains(&format!("process {} on ", child.id())),
        "{running}"
    );
    assert!(
        running.contains("0 of 2 runs finished, 1 running"),
        "{running}"
    );
    let other = scratch.isoflop(&["sweep", "sweep.toml", "--only", "dense", "--no-wait"]);
    assert_eq!(other.code, Some(75), "{other:?}");
    assert!(other.err.contains("is held by process "), "{other:?}");

    signal(&child, libc::SIGKILL);
    child.wait().unwrap();
    assert!(status("stopped").contains("`isoflop sweep` continues it"));
    let mut next = spawn(&scratch, "runs", &["--only", "dense"]);
    status("running");
    signal(&next, libc::SIGTERM);
    next.wait().unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut next.stderr.take().unwrap(), &mut text).unwrap();
    assert!(text.contains("taken over from process "), "{text}");
    assert!(
        text.contains("run the same command again to continue"),
        "{text}"
    );
}
