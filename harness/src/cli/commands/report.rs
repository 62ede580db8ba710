//! `isoflop report`.

use harness::error::Error;
use harness::run::conclusion::Conclusion;
use results::Records;

use super::finish_report::finish_report;
use super::planned::whole;
use crate::cli::arguments::ReportOptions;

/// Writes the report from the records alone.
pub fn report(options: &ReportOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = whole(&options.location)?;
    let records = Records::open(folders.records())?;
    finish_report(&plan, &records, &folders, false, options.csv)?;
    Ok(Conclusion::Complete)
}
