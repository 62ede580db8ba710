//! What can keep a page from being made.

/// A report that could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error(
        "there are no runs to report; run a sweep first, or name the folder that holds its records"
    )]
    Empty,
    #[error("none of the runs that were named finished; there is nothing to compare")]
    NothingFinished,
    #[error("figure `{figure}` cannot be drawn ({detail})")]
    Drawing { figure: String, detail: String },
}
