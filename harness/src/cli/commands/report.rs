//! `isoflop report`.

use harness::error::Error;
use harness::run::conclusion::Conclusion;
use results::Records;

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
    finish_report(&plan, &records, &folders, false, options.csv)?;
    Ok(Conclusion::Complete)
}
