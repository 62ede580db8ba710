//! `isoflop compare`.

use harness::error::Error;
use harness::record::report_file;
use harness::record::run_selector::select;
use harness::run::conclusion::Conclusion;
use results::RunRow;
use results::comparison::Comparison;

use super::{compare_table, compare_values};
use crate::cli::arguments::CompareOptions;
use crate::cli::output::print;

/// Prints recorded runs side by side, as a table, CSV or JSON, and writes the HTML page if requested.
///
/// # Errors
/// If an argument matches no run, runs cannot be compared, or records or output cannot be read or written.
pub fn compare(options: &CompareOptions) -> Result<Conclusion, Error> {
    let filter = &options.filter;
    let keep = |row: &RunRow| {
        (filter.only.is_empty() || filter.only.contains(&row.block))
            && (filter.size.is_empty() || filter.size.contains(&row.size))
            && (filter.seed.is_empty() || filter.seed.contains(&row.seed))
    };
    let selection = select(&options.runs, &options.output, &keep, &filter.only)?;
    let comparison = Comparison::new(&selection.frames, &selection.order)?;
    // Before anything is printed: standard output may be closed.
    if let Some(file) = &options.report {
        report_file::replace(&reports::render_comparison(&comparison)?, file)?;
    }
    if options.csv {
        compare_values::print_csv(&comparison)?;
    } else if options.json {
        compare_values::print_json(&comparison)?;
    } else {
        print(compare_table::text(&comparison))?;
        if let Some(file) = &options.report {
            print(file.display())?;
        }
    }
    Ok(Conclusion::Complete)
}
