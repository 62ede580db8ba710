//! The final output of a command that wrote rows: report, table of results, path.

use experiment::plan::Plan;
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::forecasts;
use harness::record::report_file;
use harness::record::selection;
use harness::run::tuning::plan_with_picks;
use results::Records;

use super::comparison::comparison;
use crate::cli::arguments::RecordExport;
use crate::cli::output::{note, print};

/// Writes the report of the sweep of `plan` and prints the table of results and the path of the report. Writes no
/// report if no run is recorded.
///
/// # Arguments
/// * `quiet`: print the path only.
/// * `export`: further formats of the rows.
///
/// # Errors
/// If rows cannot be read or the report or standard output cannot be written.
pub fn finish_report(
    plan: &Plan,
    records: &Records,
    folders: &Folders,
    quiet: bool,
    export: RecordExport,
) -> Result<(), Error> {
    // An export has every step.
    let frames = match export.csv || export.json {
        true => records.read_all()?,
        false => records.read_for_reports()?,
    };
    // The report covers the whole sweep, even if only a part of it was selected.
    let (whole, _) = plan_with_picks(Plan::new(plan.sweep.clone())?, folders.output())?;
    let probes = Records::open(folders.probes())?.read()?;
    let frames = selection::frames_of(&whole, &frames)?
        .with_probes(probes)
        .with_sealed(forecasts::read(&folders.forecasts())?);
    if frames.runs().is_empty() {
        note("no run has ended yet: no report");
        return Ok(());
    }
    report_file::write(&frames, &folders.report())?;
    if export.csv {
        frames.export_csv(&folders.csv())?;
    }
    if export.json {
        frames.export_json_lines(&folders.json())?;
    }
    if !quiet {
        print(comparison(&whole, &frames))?;
    }
    print(folders.report().display())
}
