//! The final output of a command that wrote rows: report, table of results, path.

use experiment::plan::Plan;
use harness::error::Error;
use harness::process::broken_pipe::end_on_broken_pipe;
use harness::record::folders::Folders;
use harness::record::report_file;
use harness::record::selection;
use results::Records;

use super::comparison::comparison;

/// Writes the report of the sweep of `plan` and prints the table of results and the path of the report. Writes no
/// report if no run is recorded.
///
/// # Arguments
/// * `quiet`: print the path only.
/// * `csv`: also write the rows as CSV.
///
/// # Errors
/// If rows cannot be read or the report cannot be written.
pub fn finish_report(
    plan: &Plan,
    records: &Records,
    folders: &Folders,
    quiet: bool,
    csv: bool,
) -> Result<(), Error> {
    let frames = records.read_all()?;
    // The report covers the whole sweep, even if only a part of it was selected.
    let whole = Plan::new(plan.sweep.clone())?;
    let probes = Records::open(folders.probes())?.read()?;
    let frames = selection::frames_of(&whole, &frames)?.with_probes(probes);
    if frames.runs().is_empty() {
        eprintln!("no run has ended yet: no report");
        return Ok(());
    }
    report_file::write(&frames, &folders.report())?;
    if csv {
        frames.export_csv(&folders.csv())?;
    }
    // All files are written and no child process runs.
    end_on_broken_pipe();
    if !quiet {
        println!("{}", comparison(&whole, &frames));
    }
    println!("{}", folders.report().display());
    Ok(())
}
