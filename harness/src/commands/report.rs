//! `isoflop report`.

use harness::conclusion::Conclusion;
use harness::error::Error;
use results::Records;

use super::closing::close;
use super::planned::planned;
use crate::arguments::ReportOptions;

/// Writes the report from the records alone.
pub fn report(options: &ReportOptions) -> Result<Conclusion, Error> {
    let (plan, folders) = planned(&options.planned)?;
    let records = Records::open(folders.records())?;
    close(&plan, &records, &folders, false, options.csv)?;
    Ok(Conclusion::Complete)
}
