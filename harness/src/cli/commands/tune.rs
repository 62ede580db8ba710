//! `isoflop tune`.

use experiment::tuning::cells::{Cell, Picks};
use harness::error::Error;
use harness::run::conclusion::Conclusion;
use harness::run::tuning::{TuningState, plan_with_picks, state};
use results::number::{fixed, scientific};

use super::lead::lead;
use super::terminal_table::terminal_table;
use crate::cli::arguments::ExecutionOptions;
use crate::cli::output::{note, print};

/// Executes the trials of the sweep, and prints what was picked.
///
/// # Errors
/// If the sweep has no `[tune]`, its law of rates is rejected, or rows cannot be read or written.
pub fn tune(options: &ExecutionOptions) -> Result<Conclusion, Error> {
    lead(
        "tune",
        options,
        true,
        |plan, folders, execution, progress| {
            let Some(tune) = plan.sweep.tune.clone() else {
                return Err(Error::Argument {
                    argument: plan.sweep.argument.clone(),
                    problem: "has no section [tune]".to_owned(),
                    remedy: "add it with seed and learning_rate: docs/guide.md".to_owned(),
                });
            };
            let conclusion = execution.search(&plan, progress)?;
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
        },
    )
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
