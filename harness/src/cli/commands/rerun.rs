//! `isoflop rerun`.

use std::fs;

use architectures::DeviceName;
use collectives::OneRank;
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::provenance::Provenance;
use harness::record::run_row::FINISHED;
use harness::run::claim::{Attempt, Claims};
use harness::run::conclusion::Conclusion;
use harness::run::data::Datasets;
use harness::run::execute::{Failure, RunContext, execute};
use harness::run::interrupt::Interrupt;
use harness::run::rerun::RecordedRun;
use results::Records;
use suites::SandboxLimits;

use super::worker_threads::start_threads;
use crate::cli::arguments::{ComputeOptions, RerunOptions};
use crate::cli::output::print;
use crate::cli::progress;

/// Executes a recorded run again in a folder of its own, and says whether the result is equal bit for bit.
///
/// # Errors
/// If no run has the name, its inputs cannot be built, or files cannot be read or written.
pub fn rerun(options: &RerunOptions) -> Result<Conclusion, Error> {
    let recorded = RecordedRun::find(&options.run, &options.output)?;
    let (row, run) = (&recorded.row, recorded.run()?);
    let compute = compute_options(options, &recorded)?;
    let threads = start_threads(&compute)?;
    let provenance = Provenance::gather();
    let device = compute.device.to_string();
    let inputs = recorded.differing_inputs(&provenance, &device, threads);

    let mut progress = progress::display_for(options.quiet);
    progress.preparing("corpus, tokenizer and questions");
    let cache = Folders::new(&options.output, "").cache();
    let datasets = Datasets::of_one(&run, recorded.dataset(&run, &cache)?);
    let sweep = recorded.records.parent().unwrap_or(&options.output);
    let folders = Folders::new(&sweep.join("reruns"), &row.run);
    if folders.weights(&row.run).exists() {
        // Of an earlier rerun that has ended; one that was interrupted in training is continued.
        fs::remove_dir_all(folders.sweep()).map_err(Error::io("remove", folders.sweep()))?;
    }
    let records = Records::open(folders.records())?;
    let interrupt = Interrupt::listen()?;
    let context = RunContext {
        datasets: &datasets,
        records: &records,
        folders: &folders,
        device: &compute.device.open(),
        tasks: &[],
        limits: &SandboxLimits::default(),
        interrupt: &interrupt,
        origin: provenance.origin(),
        ranks: &OneRank::shared(),
    };
    let claim = match Claims::new(folders.claims()).attempt(&row.run)? {
        Attempt::Claimed(claim, _) => claim,
        Attempt::Held(holder) => {
            progress.notice(&format!("it is executed by {} already", holder.process));
            return Ok(Conclusion::HeldElsewhere);
        }
    };
    progress.sweep(std::slice::from_ref(&run));
    progress.run(&run);
    let ended = execute(&run, &row.run, &claim, &context, progress.as_mut());
    progress.done();
    let differences = match ended {
        Ok(outcome) if row.status == FINISHED => recorded.differences(&outcome, &records)?,
        Ok(_) => vec![format!(
            "it finished, and was recorded as failed: {}",
            row.reason
        )],
        Err(Failure::Failed(reason)) if reason == row.reason => Vec::new(),
        Err(Failure::Failed(reason)) => vec![format!("it failed: {reason}")],
        Err(Failure::Interrupted | Failure::TakenOver) => return Ok(Conclusion::Interrupted),
        Err(Failure::Data(error)) => return Err(*error),
        Err(Failure::Records(error)) => return Err(error.into()),
        Err(Failure::Checkpoint(error)) => return Err(error.into()),
    };
    drop(claim);
    print(outcome_text(&recorded, &differences, &inputs))?;
    if !differences.is_empty() {
        let folder = folders.sweep().display();
        print(format_args!("the rerun's rows and weights are in {folder}"))?;
        return Ok(Conclusion::SomeFailed);
    }
    fs::remove_dir_all(folders.sweep()).map_err(Error::io("remove", folders.sweep()))?;
    Ok(Conclusion::Complete)
}

/// The device and threads of the recorded run, unless others are given.
fn compute_options(
    options: &RerunOptions,
    recorded: &RecordedRun,
) -> Result<ComputeOptions, Error> {
    let device = match options.device {
        Some(device) => device,
        None => {
            let device = DeviceName::find(&recorded.row.device);
            device.map_err(|problem| Error::Argument {
                argument: format!("the device of run {}", recorded.row.run),
                problem: format!("cannot be opened: {problem}"),
                remedy: "give --device".to_owned(),
            })?
        }
    };
    let recorded_threads = u16::try_from(recorded.row.threads).ok().filter(|n| *n > 0);
    Ok(ComputeOptions {
        device,
        threads: options.threads.or(recorded_threads),
        quiet: options.quiet,
    })
}

fn outcome_text(recorded: &RecordedRun, differences: &[String], inputs: &[String]) -> String {
    let row = &recorded.row;
    let label = format!("{} ({} {} seed {})", row.run, row.size, row.block, row.seed);
    let equal = "equal bit for bit: losses, gradient norms, weights, items and scores";
    let mut lines = match differences.is_empty() {
        true => vec![format!("{label}: {equal}")],
        false => vec![format!("{label}: not equal")],
    };
    lines.extend(differences.iter().map(|text| format!("  differs: {text}")));
    lines.extend(inputs.iter().map(|text| format!("  input {text}")));
    if inputs.is_empty() {
        lines.push("  inputs: all as recorded".to_owned());
        if !differences.is_empty() {
            lines.push(
                "  no recorded input differs: please report this as a fault of the program"
                    .to_owned(),
            );
        }
    }
    lines.join("\n")
}
