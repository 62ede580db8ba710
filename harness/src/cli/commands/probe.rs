//! `isoflop probe`.

use std::collections::HashSet;
use std::time::Instant;

use crate::cli::output::{note, print};
use crate::cli::progress;
use experiment::plan::Plan;
use experiment::training::TrainingConfig;
use harness::error::Error;
use harness::probe::grid::{ProbedPart, parts_to_time, targets};
use harness::probe::memory::DeviceMemory;
use harness::probe::peaks::Peaks;
use harness::probe::phase::Phase;
use harness::probe::row::ProbeRowContext;
use harness::probe::session::Session;
use harness::record::folders::Folders;
use harness::record::provenance::Provenance;
use harness::record::run_row::FINISHED;
use harness::record::shell::sweep_arguments;
use harness::run::conclusion::Conclusion;
use harness::run::interrupt::Interrupt;
use results::{ProbeRow, Records};

use super::probe_table::{explanation, tables};
use super::selected_plan::{selected_plan, whole_plan};
use super::worker_threads::start_threads;
use crate::cli::arguments::{ProbeOptions, RunFilter, SweepLocation, SweepSelection};

/// Small enough that repeated steps do not change the amount of work.
const LEARNING_RATE: f64 = 1e-5;

/// Measures the parts that are not recorded and prints all rows.
///
/// # Errors
/// If an argument is invalid, or rows or standard output cannot be read or written.
pub fn probe(options: &ProbeOptions) -> Result<Conclusion, Error> {
    let begun = Instant::now();
    let selection = SweepSelection {
        location: SweepLocation {
            sweep: options.sweep.clone(),
            output: options.output.clone(),
            changes: options.changes.clone(),
        },
        filter: RunFilter {
            only: options.only.clone(),
            size: options.size.clone(),
            seed: Vec::new(),
        },
        run: Vec::new(),
    };
    let (plan, _) = selected_plan(&selection)?;
    // Labels are determined by the whole sweep, so that they do not depend on the selection.
    let (whole, _) = whole_plan(&selection.location)?;
    let tokens = options.tokens as usize;
    let (wanted, all) = (targets(&plan, tokens)?, targets(&whole, tokens)?);
    let memory = DeviceMemory::of(options.compute.device, options.memory)?;
    let Some(training) = training(&plan) else {
        return Ok(Conclusion::Complete);
    };
    let threads = start_threads(&options.compute)?;
    let mut progress = progress::display_for(options.compute.quiet);
    let folders = Folders::of_probes(&options.output);
    let records = Records::open(folders.records())?;
    let row_context = ProbeRowContext {
        sweep: sweep_arguments(&whole.sweep),
        labels: all.iter().map(|target| target.block.clone()).collect(),
        tokens,
        provenance: Provenance::gather(),
        device: options.compute.device.to_string(),
        threads,
    };
    let usable = memory.usable();
    let finished: HashSet<String> = records
        .read::<ProbeRow>()?
        .into_iter()
        .filter(|row| row.status == FINISHED)
        .map(|row| row.run)
        .collect();
    // Recorded tables are listed even if there is less memory now.
    let fits = |part: &ProbedPart| {
        let id = row_context.id(part, Phase::Forward);
        row_context.need(part, Phase::Forward) <= usable
            || id.is_ok_and(|id| finished.contains(&id))
    };
    let parts = parts_to_time(&wanted, &all, &fits);
    let session = Session {
        records: &records,
        row_context,
        device: &options.compute.device.open(),
        measure_peaks: Peaks::measure,
        memory,
        budget: options.budget,
        begun,
        again: options.again,
        training: &training,
        interrupt: &Interrupt::listen()?,
    };
    let ended = session.run(&parts, (&wanted, &all), progress.as_mut());
    progress.done();
    let (conclusion, rows) = ended?;
    if conclusion == Conclusion::Interrupted {
        note("interrupted; run the same command again to measure the missing parts");
    }
    if options.records.csv {
        results::export(&rows, &folders.csv())?;
    }
    if options.records.json {
        results::write_json_lines(&rows, &folders.json())?;
    }
    if let Some(folder) = &options.export {
        results::export(&rows, folder)?;
    }
    if !options.compute.quiet {
        print(format_args!("{}{}", tables(&rows), explanation(tokens)))?;
    }
    print(records.folder().display())?;
    Ok(conclusion)
}

/// The optimizers and clipping of the sweep, with [`LEARNING_RATE`]; `None` if the plan has no run.
fn training(plan: &Plan) -> Option<TrainingConfig> {
    plan.runs.first().map(|run| TrainingConfig {
        learning_rate: LEARNING_RATE,
        table_learning_rate: LEARNING_RATE,
        ..run.training.clone()
    })
}
