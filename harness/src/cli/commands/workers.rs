//! Worker processes of `isoflop sweep --jobs N`, which share the runs of one folder by claims.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use experiment::plan::Plan;
use harness::error::Error;
use harness::record::run_row::FINISHED;
use harness::run::conclusion::Conclusion;
use harness::run::data::Datasets;
use harness::run::identity::{RunId, configuration, run_id};
use harness::run::interrupt::{EXIT_STATUS, Interrupt};
use harness::run::progress::{Progress, RunEnd};
use results::{Records, RunRow};

use crate::cli::arguments::{ComputeOptions, SweepSelection};

/// Time between two looks at the records.
const INTERVAL: Duration = Duration::from_millis(500);

/// What every worker process is told.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    /// The command that it executes: `sweep` or `tune`.
    pub command: &'a str,
    /// Which runs.
    pub selection: &'a SweepSelection,
    /// Device and threads.
    pub compute: &'a ComputeOptions,
    /// Number of processes.
    pub jobs: usize,
}

/// Starts processes that execute the runs of `plan`, and reports the runs as they end.
///
/// # Errors
/// If a process cannot be started, rows cannot be read, or runs remain because processes ended early.
pub fn execute(
    work: Work,
    plan: &Plan,
    (datasets, records): (&Datasets, &Records),
    interrupt: &Interrupt,
    progress: &mut dyn Progress,
) -> Result<Conclusion, Error> {
    let jobs = work.jobs;
    let threads = usize::from(work.compute.threads.unwrap_or(0));
    let threads = match threads {
        0 => std::thread::available_parallelism().map_or(1, usize::from),
        given => given,
    };
    let mut workers = Vec::new();
    for _ in 0..jobs {
        workers.push(start(work, (threads / jobs).max(1))?);
    }
    let mut pending = Vec::new();
    for run in &plan.runs {
        pending.push((run, run_id(&configuration(run)?, &*datasets.of(run)?)));
    }
    progress.sweep(&plan.runs);
    let failed_before = failed(records)?;
    let mut some_failed = false;
    loop {
        if interrupt.requested() {
            // The end of its standard input asks a worker to stop after its step.
            workers
                .iter_mut()
                .for_each(|worker| drop(worker.stdin.take()));
        }
        let running = workers
            .iter_mut()
            .any(|worker| matches!(worker.try_wait(), Ok(None)));
        let mut left = Vec::new();
        for (run, id) in pending {
            match records.read_run::<RunRow>(&id)?.into_iter().next() {
                Some(row) if row.status == FINISHED => progress.ended(
                    run,
                    &RunEnd::Finished {
                        val_loss: row.val_loss,
                        wall_s: row.train_wall_s + row.eval_wall_s,
                    },
                ),
                Some(row) if !failed_before.contains(&(id.clone(), row.started.clone())) => {
                    some_failed = true;
                    progress.ended(run, &RunEnd::Failed(row.reason));
                }
                _ => left.push((run, id)),
            }
        }
        pending = left;
        if !running {
            break;
        }
        std::thread::sleep(INTERVAL);
    }
    if interrupt.requested() || was_interrupted(&mut workers) {
        return Ok(Conclusion::Interrupted);
    }
    match (pending.len(), some_failed) {
        (0, false) => Ok(Conclusion::Complete),
        (0, true) => Ok(Conclusion::SomeFailed),
        (runs, _) => Err(Error::Workers { runs, jobs }),
    }
}

/// Name and start of the runs that are recorded as failed: they are executed again.
fn failed(records: &Records) -> Result<Vec<(RunId, String)>, Error> {
    let rows = records.read::<RunRow>()?.into_iter();
    let failed = rows.filter(|row| row.status != FINISHED);
    Ok(failed.map(|row| (row.run, row.started)).collect())
}

fn was_interrupted(workers: &mut [Child]) -> bool {
    let status = |worker: &mut Child| worker.wait().ok().and_then(|status| status.code());
    workers
        .iter_mut()
        .any(|worker| status(worker) == Some(i32::from(EXIT_STATUS)))
}

fn start(work: Work, threads: usize) -> Result<Child, Error> {
    let program = std::env::current_exe().map_err(Error::io("find", "this program".as_ref()))?;
    let selection = work.selection;
    let mut command = Command::new(&program);
    command
        .args([
            work.command,
            &selection.location.sweep,
            "--worker",
            "--quiet",
        ])
        .arg("--output")
        .arg(&selection.location.output)
        .args(["--threads", &threads.to_string()])
        .args(["--device", &work.compute.device.to_string()])
        // Of which it is none, if this process was started by a launcher with others.
        .args(["--ranks", "1"]);
    for change in &selection.location.changes.set {
        command.arg("--set").arg(change.to_string());
    }
    for (option, values) in [
        ("--only", &selection.filter.only),
        ("--size", &selection.filter.size),
        ("--run", &selection.run),
    ] {
        for value in values {
            command.args([option, value]);
        }
    }
    for seed in &selection.filter.seed {
        command.args(["--seed", &seed.to_string()]);
    }
    command.stdin(Stdio::piped()).stdout(Stdio::null());
    // Not of this process's group: Ctrl-C reaches this process alone, which then stops its workers once.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command.spawn().map_err(Error::io("start", &program))
}

/// Requests an interrupt when standard input ends: the process that started this worker wants it to stop, or has ended.
pub fn stop_with_parent(interrupt: &Interrupt) {
    let interrupt = interrupt.clone();
    std::thread::spawn(move || {
        let mut byte = [0];
        while matches!(std::io::stdin().read(&mut byte), Ok(1)) {}
        interrupt.request();
    });
}
