//! Errors of rendering.

/// A report that could not be rendered.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// There are no rows.
    #[error(
        "there are no runs to report; run a sweep first, or name the folder that holds its records"
    )]
    Empty,
    /// No run finished.
    #[error("none of the runs that were named finished; there is nothing to compare")]
    NothingFinished,
    /// A figure cannot be drawn.
    #[error("figure `{figure}` cannot be drawn ({detail})")]
    Drawing {
        /// Anchor of the figure.
        figure: String,
        /// The cause.
        detail: String,
    },
    /// A figure cannot be written as PNG.
    #[error("figure `{figure}` cannot be written as PNG ({detail}); {remedy}")]
    Png {
        /// Anchor of the figure.
        figure: String,
        /// The cause.
        detail: String,
        /// What helps.
        remedy: &'static str,
    },
}
