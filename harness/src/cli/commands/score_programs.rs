//! Programs of a benchmark's answers: run in the sandbox with progress, and their verdicts as JSON lines.

use std::io::Write;
use std::path::Path;
use std::sync::Mutex;
use std::time::Instant;

use benchmarks::answers::Answer;
use benchmarks::programs::{Verdicts, verdicts};
use benchmarks::{Benchmark, Item};
use harness::error::Error;
use harness::evaluate::answering::Answering;
use harness::run::interrupt::Interrupt;
use results::atomic_file;
use sandbox::{Policy, Program, Sandbox, SandboxLimits};
use serde_json::json;

use crate::cli::arguments::ScoreOptions;
use crate::cli::output::note;
use crate::cli::progress::items::ItemProgress;

/// The sandbox for the answers of `benchmark`, if it asks for programs and `--run-code` is given.
///
/// # Errors
/// If answers of a file ask for programs and `--run-code` is not given, or the sandbox cannot be opened.
pub fn sandbox(
    benchmark: &Benchmark,
    options: &ScoreOptions,
    threads: usize,
) -> Result<Option<Sandbox>, Error> {
    if benchmark.task.program.is_none() {
        return Ok(None);
    }
    if !options.run_code {
        if options.model.is_some() {
            note(
                "programs are not run without --run-code; only the probability of the reference is scored",
            );
            return Ok(None);
        }
        return Err(Error::Argument {
            argument: format!("--task {}", options.task),
            problem: "is judged by running the answers, which are programs that a model wrote".to_owned(),
            remedy: "add --run-code, which runs each one isolated from this system (Linux: own namespaces, no files but Python's, no network, \
                     limits), or choose a task that is answered by texts or choices: `isoflop tasks`"
                .to_owned(),
        });
    }
    let limits = SandboxLimits {
        threads,
        ..SandboxLimits::default()
    };
    let policy = match options.is_unsafe {
        true => Policy::Unsafe,
        false => Policy::Isolated,
    };
    let sandbox = Sandbox::open(&limits, policy)?;
    if let Some(missing) = sandbox.confinement().note() {
        note(format_args!("every program {missing}"));
    }
    Ok(Some(sandbox))
}

/// The verdicts on all programs of answers.
///
/// # Errors
/// If a program cannot be put together or run, or an interrupt was requested.
pub fn judge<'a>(
    sandbox: &Sandbox,
    benchmark: &Benchmark,
    answers: impl Iterator<Item = (&'a Item, &'a Answer)>,
    interrupt: &Interrupt,
    quiet: bool,
) -> Result<Verdicts, Error> {
    let progress = Mutex::new(ItemProgress::new("programs", quiet));
    let clock = Instant::now();
    let run = |programs: &[Program]| {
        let judged = |done: usize| {
            if let Ok(mut progress) = progress.lock() {
                progress.update(&Answering {
                    done,
                    cached: 0,
                    all: programs.len(),
                    seconds: clock.elapsed().as_secs_f64(),
                });
            }
        };
        sandbox.judge_all(programs, &judged, &|| interrupt.requested())
    };
    let found = verdicts(benchmark, answers, run);
    if let Ok(progress) = progress.lock() {
        progress.done();
    }
    Ok(found?)
}

/// Writes a line for each item: `doc_id` and the verdict on each of its programs.
///
/// # Errors
/// If the file cannot be written.
pub fn write_verdicts(file: &Path, sandbox: &Sandbox, found: &Verdicts) -> Result<(), Error> {
    let confinement = sandbox.confinement();
    let line = |(doc_id, verdicts): (&usize, &Vec<sandbox::ProgramVerdict>)| {
        let texts: Vec<String> = verdicts
            .iter()
            .map(|verdict| confinement.record(verdict))
            .collect();
        let passed: Vec<bool> = verdicts.iter().map(|verdict| verdict.passed()).collect();
        json!({ "doc_id": doc_id, "passed": passed, "verdicts": texts }).to_string() + "\n"
    };
    let lines: String = found.iter().map(line).collect();
    Ok(atomic_file::replace(file, |out| {
        out.write_all(lines.as_bytes())
    })?)
}
