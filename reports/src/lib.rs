//! How it is shown: one HTML page from the frames of a sweep.
//!
//! [`render`] is a pure function: it reads no clock, no file and no model, so the same frames give the same bytes. The
//! page loads nothing and needs no script; its figures are inline SVG, each with a description in words and its data
//! in a table, and it follows the reader's light or dark preference.
//!
//! | module | what |
//! |---|---|
//! | `study` | the frames grouped the way the page asks: blocks, rungs, seeds |
//! | `score` | accuracies and paired differences to dense, with their intervals |
//! | `axis`, `chart`, `marker`, `svg` | figures |
//! | `figure`, `table`, `number` | the page's parts |
//! | `sections` | one file per section |
//! | `comparison` | the page of `isoflop compare` |

mod axis;
mod chart;
mod comparison;
mod error;
mod figure;
mod interval;
mod marker;
mod page;
mod sections;
mod svg;
mod table;

pub use comparison::render_comparison;
pub use error::ReportError;
pub use page::render;
