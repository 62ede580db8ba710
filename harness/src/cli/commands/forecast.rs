//! `isoflop forecast`.

use harness::error::Error;
use harness::record::provenance::Provenance;
use harness::record::{clock, forecasts, selection};
use harness::run::conclusion::Conclusion;
use results::Records;
use results::forecast::predict::FARTHEST;
use results::forecast::{Quantity, Sealed};
use results::number::{fixed, scientific};

use super::selected_plan::whole_plan;
use super::terminal_table::terminal_table;
use crate::cli::arguments::ForecastOptions;
use crate::cli::output::{note, print};

/// Forecasts the blocks of a sweep at a larger budget from its records, seals the forecasts and prints them.
///
/// # Errors
/// If the budget is recorded already, not larger than those done or too far, there are too few budgets or seeds, or the
/// file cannot be written.
pub fn forecast(options: &ForecastOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = whole_plan(&options.location)?;
    let records = Records::open(folders.records())?;
    let frames = selection::frames_of(&plan, &records.read_for_reports()?)?;
    let done = frames.runs().iter().filter(|run| run.status == "finished");
    let largest = done.map(|run| run.target_flops).fold(0.0, f64::max);
    let invalid = |problem: String, remedy: &str| {
        Err(Error::Argument {
            argument: format!("--at {:e}", options.at),
            problem,
            remedy: remedy.to_owned(),
        })
    };
    if options.at <= largest * 1.05 {
        let problem = format!(
            "is not above the largest budget done, {}",
            scientific(largest)
        );
        return invalid(problem, "a forecast is written before its runs");
    }
    if options.at > largest * FARTHEST {
        let problem = format!(
            "is more than {FARTHEST} times the largest budget done, {}",
            scientific(largest)
        );
        return invalid(problem, "train a budget in between first");
    }
    let seeds = usize::from(options.seeds);
    let at = (options.at, seeds);
    let made = results::forecast::forecasts(&frames, &plan.sweep.name, at, options.floor)?;
    let provenance = Provenance::gather();
    let (file, sealed) = forecasts::write(
        &folders.forecasts(),
        Sealed {
            written: clock::now(),
            commit: provenance.commit,
            ..made
        },
    )?;
    print(table(&sealed))?;
    note(format_args!(
        "sealed with {}; commit and publish the file before the runs: that is the proof of its date",
        &sealed.hash[..16]
    ));
    print(file.display())?;
    Ok(Conclusion::Complete)
}

fn table(sealed: &Sealed) -> impl std::fmt::Display {
    let rows = sealed.forecasts.iter().map(|forecast| {
        let digits = if forecast.quantity == Quantity::Recall {
            1
        } else {
            3
        };
        let range = |share: f64| {
            let (low, high) = forecast.distribution.interval(share);
            format!("[{}, {}]", fixed(low, digits), fixed(high, digits))
        };
        vec![
            forecast.block.clone(),
            forecast.quantity.words().to_owned(),
            fixed(forecast.distribution.quantile(0.5), digits),
            range(0.5),
            range(0.95),
            fixed(forecast.as_last.quantile(0.5), digits),
            fixed(forecast.inflation, 2),
        ]
    });
    let header = [
        "block",
        "quantity",
        "median",
        "50 %",
        "95 %",
        "as at the last budget",
        "widened",
    ];
    terminal_table(&header, 2, rows.collect())
}
