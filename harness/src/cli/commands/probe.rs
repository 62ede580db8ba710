//! `isoflop probe`.

use std::collections::HashSet;
use std::time::Instant;

use crate::cli::progress;
use experiment::plan::Plan;
use experiment::training::TrainingConfig;
use harness::error::Error;
use harness::probe::grid::{Cell, cells, targets};
use harness::probe::memory::DeviceMemory;
use harness::probe::phase::Phase;
use harness::probe::row::ProbeRowContext;
use harness::probe::session::Session;
use harness::process::broken_pipe::end_on_broken_pipe;
use harness::record::folders::Folders;
use harness::record::provenance::Provenance;
use harness::record::run_row::FINISHED;
use harness::run::conclusion::Conclusion;
use harness::run::interrupt::Interrupt;
use results::{ProbeRow, Records};

use super::machine::start_threads;
use super::planned::{planned, whole};
use super::probe_table::{explanation, tables};
use crate::cli::arguments::{Planned, ProbeOptions, RunFilter, SweepLocation};

/// So small that repeated steps leave the work what it was.
const LEARNING_RATE: f64 = 1e-5;

/// Measures what is missing and shows all of it.
pub fn probe(options: &ProbeOptions) -> Result<Conclusion, Error> {
    let begun = Instant::now();
    let planned_options = Planned {
        location: SweepLocation {
            sweep: options.sweep.clone(),
            output: options.output.clone(),
        },
        filter: RunFilter {
            only: options.only.clone(),
            size: options.size.clone(),
            seed: Vec::new(),
        },
    };
    let (plan, _) = planned(&planned_options)?;
    // Labels are those of the whole sweep, whatever part of it is selected.
    let (whole, _) = whole(&planned_options.location)?;
    let tokens = options.tokens as usize;
    let (wanted, all) = (targets(&plan, tokens)?, targets(&whole, tokens)?);
    let memory = DeviceMemory::of(options.machine.device, options.memory)?;
    let Some(training) = training(&plan) else {
        return Ok(Conclusion::Complete);
    };
    let threads = start_threads(&options.machine)?;
    let mut progress = progress::display_for(options.machine.quiet);
    let folders = Folders::of_probes(&options.output);
    let records = Records::open(folders.records())?;
    let row_context = ProbeRowContext {
        sweep: options.sweep.clone(),
        labels: all.iter().map(|target| target.block.clone()).collect(),
        tokens,
        provenance: Provenance::gather(),
        device: options.machine.device.to_string(),
        threads,
    };
    let usable = memory.usable();
    let finished: HashSet<String> = records
        .read::<ProbeRow>()?
        .into_iter()
        .filter(|row| row.status == FINISHED)
        .map(|row| row.run)
        .collect();
    // Less memory than the last time takes no recorded table away.
    let fits = |cell: &Cell| {
        let id = row_context.id(cell, Phase::Forward);
        row_context.need(cell, Phase::Forward) <= usable
            || id.is_ok_and(|id| finished.contains(&id))
    };
    let cells = cells(&wanted, &all, &fits);
    let session = Session {
        records: &records,
        row_context,
        device: &options.machine.device.open(),
        memory,
        budget: options.budget,
        begun,
        again: options.again,
        training: &training,
        interrupt: &Interrupt::listen()?,
    };
    let ended = session.run(&cells, (&wanted, &all), progress.as_mut());
    progress.done();
    let (conclusion, rows) = ended?;
    if conclusion == Conclusion::Interrupted {
        eprintln!("interrupted; the same command goes on with the cells that are missing");
    }
    if options.csv {
        results::export(&rows, &folders.csv())?;
    }
    if let Some(folder) = &options.export {
        results::export(&rows, folder)?;
    }
    end_on_broken_pipe();
    if !options.machine.quiet {
        print!("{}", tables(&rows));
        println!("{}", explanation(tokens));
    }
    println!("{}", records.folder().display());
    Ok(conclusion)
}

/// The sweep's optimizers and clipping.
fn training(plan: &Plan) -> Option<TrainingConfig> {
    plan.runs.first().map(|run| TrainingConfig {
        learning_rate: LEARNING_RATE,
        table_learning_rate: LEARNING_RATE,
        ..run.training.clone()
    })
}
