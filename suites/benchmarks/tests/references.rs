//! Every reference solution of HumanEval and MBPP passes its tests in the sandbox.
//!
//! A third of them by default; all with `ISOFLOP_ALL_REFERENCES=1`. Files are looked for in `ISOFLOP_BENCHMARKS`, and in `../shared/data`
//! beside the checkout; a test without its files says so.

#![allow(clippy::print_stderr, reason = "a test without its files says so")]

use std::path::PathBuf;

use benchmarks::{Benchmark, ItemKind, Task, builtin};
use sandbox::{Policy, Sandbox, SandboxError, SandboxLimits};

/// One of so many, unless all are asked for.
const SHARE: usize = 3;

fn benchmark(name: &str, folder: &str) -> Option<Benchmark> {
    let data = match std::env::var_os("ISOFLOP_BENCHMARKS") {
        Some(data) => data.into(),
        None => PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
    };
    let path = data.join(folder);
    if !path.is_dir() {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    }
    let mut task: Task = builtin::find(name)?;
    // All records, not the evaluated ones alone.
    task.source.keep = None;
    Some(Benchmark::read(task, &[path], false).expect("reads"))
}

fn every_reference_passes(name: &str, folder: &str, rows: usize) {
    let Some(benchmark) = benchmark(name, folder) else {
        return;
    };
    let limits = SandboxLimits {
        threads: std::thread::available_parallelism().map_or(1, usize::from),
        ..SandboxLimits::default()
    };
    let sandbox = match Sandbox::open(&limits, Policy::Isolated) {
        Ok(sandbox) => sandbox,
        Err(error @ (SandboxError::NoPython(_) | SandboxError::NotIsolated(_))) => {
            return eprintln!("skipped: {error}");
        }
        Err(error) => panic!("{error}"),
    };
    assert_eq!(benchmark.items.len(), rows);
    let all = std::env::var_os("ISOFLOP_ALL_REFERENCES").is_some();
    let chosen = benchmark.items.iter().step_by(if all { 1 } else { SHARE });
    let programs: Vec<_> = chosen
        .map(|item| {
            let ItemKind::Program(reference) = &item.kind else {
                panic!("a program")
            };
            let mut program = benchmark.program(item, reference).expect("complete");
            // Tests run beside others.
            program.seconds = Some(60);
            program
        })
        .collect();
    let verdicts = sandbox.judge_all(&programs, &|_| (), &|| false);
    let failed: Vec<String> = verdicts
        .iter()
        .zip(&programs)
        .filter(|(verdict, _)| !verdict.passed())
        .map(|(verdict, program)| format!("{verdict}:\n{}\n{}\n", program.source, program.tests))
        .collect();
    assert!(
        failed.is_empty(),
        "{} of {}:\n{}",
        failed.len(),
        programs.len(),
        failed.concat()
    );
}

#[test]
fn humaneval() {
    every_reference_passes("humaneval", "humaneval", 164);
}

#[test]
fn mbpp() {
    every_reference_passes("mbpp", "mbpp", 974);
}

#[test]
fn mbpp_sanitized() {
    every_reference_passes("mbpp_sanitized", "mbpp", 427);
}
