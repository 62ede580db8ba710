//! `isoflop tune`.

use experiment::tuning::cells::{Cell, Picks};
use harness::error::Error;
use harness::ranks::launch::started_ranks;
use harness::ranks::order::Leader;
use harness::run::conclusion::Conclusion;
use harness::run::interrupt::Interrupt;
use harness::run::tuning::{TuningState, plan_with_picks, state};
use results::number::{fixed, scientific};

use super::execution::Execution;
use super::ranks::{check_one_process, follow};
use super::selected_plan::selected_plan;
use super::terminal_table::terminal_table;
use super::worker_threads::start_threads;
use super::workers::{self, Work};
use crate::cli::arguments::TuneOptions;
use crate::cli::output::{note, print};
use crate::cli::progress;

/// Executes the trials of the sweep, and prints what was picked.
///
/// # Errors
/// If the sweep has no `[tune]`, its law of rates is rejected, or rows cannot be read or written.
pub fn tune(options: &TuneOptions) -> Result<Conclusion, Error> {
    let ranks = started_ranks(options.ranks, options.compute.device)?;
    if ranks.rank() > 0 {
        return follow(&ranks, &options.compute);
    }
    let _leader = Leader::new(&ranks);
    check_one_process(&ranks, options.jobs)?;
    let (plan, folders) = selected_plan(&options.selection)?;
    let Some(tune) = plan.sweep.tune.clone() else {
        return Err(Error::Argument {
            argument: plan.sweep.argument.clone(),
            problem: "has no section [tune]".to_owned(),
            remedy: "add it with seed and learning_rate: docs/guide.md".to_owned(),
        });
    };
    let threads = start_threads(&options.compute)?;
    let mut progress = progress::display_for(options.compute.quiet);
    let interrupt = Interrupt::listen()?;
    if options.worker {
        workers::stop_with_parent(&interrupt);
    }
    let execution = Execution {
        work: Work {
            command: "tune",
            selection: &options.selection,
            compute: &options.compute,
            jobs: options.jobs.into(),
        },
        waits: true,
        threads,
        interrupt: &interrupt,
        ranks: &ranks,
    };
    let conclusion = execution.search(&plan, progress.as_mut())?;
    progress.done();
    let conclusion = conclusion.unwrap_or(Conclusion::Complete);
    if options.worker {
        return Ok(conclusion);
    }
    if conclusion == Conclusion::Interrupted {
        note("interrupted; run the same command again to continue");
    }
    let TuningState { cells, picks, .. } = state(&plan, &tune, folders.output())?;
    print(table(&cells, &picks))?;
    let (_, law) = plan_with_picks(plan, folders.output())?;
    law?;
    Ok(conclusion)
}

fn table(cells: &[Cell], picks: &Picks) -> impl std::fmt::Display {
    let mut rows = Vec::new();
    for cell in cells {
        let name = cell.name();
        let curves = picks.get(&name).map_or(&[][..], |pick| &pick.curves);
        for curve in curves {
            let trials = curve.trials.iter().map(|(value, trial)| {
                let loss = trial
                    .loss
                    .map_or("failed".to_owned(), |loss| fixed(loss, 3));
                format!("{} {loss}", scientific(*value))
            });
            let flops = curve.trials.iter().map(|(_, trial)| trial.train_flops);
            rows.push(vec![
                name.0.clone(),
                name.1.clone(),
                curve.setting.key().to_owned(),
                scientific(curve.picked),
                if curve.at_edge { "at the edge" } else { "" }.to_owned(),
                scientific(flops.sum()),
                trials.collect::<Vec<_>>().join(", "),
            ]);
        }
    }
    let header = [
        "size",
        "block",
        "setting",
        "picked",
        "",
        "FLOP",
        "value and loss of each trial",
    ];
    terminal_table(&header, 3, rows)
}
