//! Reports: one HTML page from the frames of a sweep or from a comparison. This crate draws; statistics, comparability and
//! verdicts are computed in [`results`].
//!
//! [`render`] is a pure function: it reads no clock, no file and no model, so that the same frames give the same bytes. The
//! page loads nothing and requires no script; its figures are inline SVG, each with a description in words and its data
//! in a table, and it follows the reader's light or dark preference.
//!
//! | module | contents |
//! |---|---|
//! | `sections` | one file for each section of the page of a sweep |
//! | `comparison` | the page of `isoflop compare` |
//! | `page`, `figure`, `table`, `interval` | parts of a page |
//! | [`plain_table`] | the comparison as tables in Markdown, LaTeX and CSV |
//! | [`png`] | these files as PNG |
//! | [`standalone`] | the figures as SVG files |
//! | `axis`, `chart`, `marker`, `svg` | drawing of a figure's panels |

mod axis;
mod chart;
mod comparison;
mod error;
mod figure;
mod interval;
mod marker;
mod page;
pub mod plain_table;
pub mod png;
mod sections;
pub mod standalone;
mod svg;
mod table;

pub use comparison::render_comparison;
pub use error::ReportError;
pub use page::render;
