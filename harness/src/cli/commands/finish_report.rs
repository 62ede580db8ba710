//! The last part of a command that wrote rows: the report, its table, its path.

use experiment::plan::Plan;
use harness::error::Error;
use harness::process::broken_pipe::end_on_broken_pipe;
use harness::record::folders::Folders;
use harness::record::report_file;
use harness::record::selection;
use results::Records;

use super::comparison::comparison;

/// Writes the report of the runs of `plan` and prints its path; without a recorded run, no report.
pub fn finish_report(
    plan: &Plan,
    records: &Records,
    folders: &Folders,
    quiet: bool,
    csv: bool,
) -> Result<(), Error> {
    let frames = records.read_all()?;
    // The report is of the whole sweep, also where only a part of it was run now.
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
    // Report and rows are written and no other program runs.
    end_on_broken_pipe();
    if !quiet {
        println!("{}", comparison(&whole, &frames));
    }
    println!("{}", folders.report().display());
    Ok(())
}
