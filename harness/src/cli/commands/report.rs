//! `isoflop report`.

use experiment::plan::Plan;
use harness::error::Error;
use harness::record::folders::Folders;
use harness::record::{forecasts, report_file, selection};
use harness::run::conclusion::Conclusion;
use harness::run::tuning::tuning_folders;
use reports::plain_table::{self, PlainTable};
use reports::png::Rasterizer;
use results::{Frames, Records};

use super::finish_report::finish_report;
use super::selected_plan::whole_plan;
use crate::cli::arguments::ReportOptions;

/// Writes the report from the records only.
///
/// # Errors
/// If the sweep is invalid, or the records or the report cannot be read or written.
pub fn report(options: &ReportOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = whole_plan(&options.location)?;
    let records = Records::open(folders.records())?;
    let writes = [
        options.markdown.is_some(),
        options.tables.is_some(),
        options.figures.is_some(),
        options.merged.is_some(),
    ];
    if writes.contains(&true) {
        let frames = selection::frames_of(&plan, &records.read_for_reports()?)?;
        write_parts(options, &plan, &folders, &frames)?;
    }
    finish_report(&plan, &records, &folders, false, options.export)?;
    Ok(Conclusion::Complete)
}

/// Writes what the options ask for beside the page.
fn write_parts(
    options: &ReportOptions,
    plan: &Plan,
    folders: &Folders,
    frames: &Frames,
) -> Result<(), Error> {
    if let Some(file) = &options.markdown {
        report_file::replace(&plain_table::comparison_in_markdown(frames), file)?;
    }
    if let Some(folder) = &options.tables {
        let mut tables = plain_table::comparison(frames);
        if let Some(against) = &options.against {
            tables.push(compared_with(against, frames)?);
        }
        for table in tables {
            let file = |extension: &str| folder.join(format!("{}.{extension}", table.name));
            report_file::replace(&table.markdown(), &file("md"))?;
            report_file::replace(&table.latex(), &file("tex"))?;
            report_file::replace_bytes(&table.csv()?, &file("csv"))?;
        }
    }
    if let Some(folder) = &options.figures {
        let rasterizer = options.png.then(Rasterizer::new);
        for (id, svg) in reports::standalone::figures(&reports::render(frames)?) {
            if let Some(rasterizer) = &rasterizer {
                let png = rasterizer.png(&id, &svg)?;
                report_file::replace_bytes(&png, &folder.join(format!("{id}.png")))?;
            }
            report_file::replace(&svg, &folder.join(format!("{id}.svg")))?;
        }
    }
    if let Some(folder) = &options.merged {
        let merged = Folders::new(folder, &plan.sweep.name);
        Records::open(merged.records())?.write_merged(frames)?;
        if folder != folders.output() {
            forecasts::copy(&folders.forecasts(), &merged.forecasts())?;
        }
        // What was picked follows from the trials, and the names of the runs from what was picked.
        if plan.sweep.tune.is_some() {
            let trials = Records::open(tuning_folders(plan, folders.output()).records())?;
            let merged = tuning_folders(plan, folder).records();
            Records::open(merged)?.write_merged(&trials.read_for_reports()?)?;
        }
    }
    Ok(())
}

/// The table of everything compared with `SIZE/BLOCK`.
fn compared_with(against: &str, frames: &Frames) -> Result<PlainTable, Error> {
    let (size, block) = against.split_once('/').unwrap_or((against, ""));
    plain_table::against(frames, size, block).ok_or_else(|| Error::Argument {
        argument: format!("--against {against}"),
        problem: "names no block at a size with a finished run".to_owned(),
        remedy: "write the labels of both as in `isoflop plan`, such as d96/memory+".to_owned(),
    })
}
