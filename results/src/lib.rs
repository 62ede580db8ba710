//! Results: typed rows, the frames and files that store them, and statistics of them.
//!
//! The harness records a run as rows. [`Records`] writes rows as soon as they exist, one Parquet file for each run and kind
//! of row, so that an interrupted sweep leaves complete rows. [`Frames`] are all rows of a folder of records, in an order
//! that depends on the rows alone: the same rows give the same result to the byte.
//!
//! | from | to | with |
//! |---|---|---|
//! | rows | Parquet files, frames, CSV | [`Records`], [`Frames`] |
//! | items and losses | confidence intervals and differences | [`statistics`] |
//! | runs at several sizes and budgets | best sizes, and the law `L(N, D)` | [`fits`] |
//! | scores of a block and of dense | compute- and parameter-equivalent gains | [`gains`] |
//! | all rows | groups that can be compared, and their scores | [`study`] |
//! | a study | the blocks compared at the largest budget | [`summary`] |
//! | a study | verdicts on published claims, by rule | [`claims`] |
//! | selected runs | models side by side, or why they cannot be compared | [`comparison`] |
//!
//! [`published`] and [`planned`] are embedded tables: published numbers, and the plan of the paper's sweep.
//!
//! The crate depends on neither the models nor the suites.
//!
//! ```
//! use results::{Records, UsageRow};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let folder = tempfile::tempdir()?;
//! let records = Records::open(folder.path())?;
//! records.append("4f1c", &[UsageRow {
//!     run: "4f1c".into(),
//!     layer: 2,
//!     unit: "slot".into(),
//!     units: 4096,
//!     reads: 65_536,
//!     collisions: None,
//!     used_share: 0.93,
//!     kl_nats: 0.41,
//!     max_share: 0.002,
//! }])?;
//! assert_eq!(records.read_all()?.usage()[0].units, 4096);
//! # Ok(())
//! # }
//! ```

pub mod atomic_file;
mod cell;
pub mod claims;
pub mod comparison;
mod error;
mod export;
pub mod fits;
pub mod forecast;
mod format_name;
mod frames;
pub mod gains;
pub mod number;
mod parquet;
pub mod planned;
pub mod published;
mod records;
mod row;
mod rows;
pub mod statistics;
pub mod study;
pub mod summary;
#[cfg(test)]
mod test_rows;

pub use cell::ColumnType;
pub use error::{Error, FrameError};
pub use export::{export, write_json_lines};
pub use format_name::FormatName;
pub use frames::Frames;
pub use parquet::{read as read_file, write as write_file};
pub use records::Records;
pub use row::Row;
pub use rows::{
    AnswerRow, EvaluationRow, ExposureRow, InitialWeightsRow, ItemRow, MatchRow, ProbeRow, RunRow,
    SHARE_METRICS, SampleRow, ScoreRow, StepRow, TrialRow, UsageRow, WHOLE_SUITE, WarningRow,
};

// Another checkout that shares the target folder compiles this crate again: see .cargo/config.toml.
const _: Option<&str> = option_env!("ISOFLOP_CHECKOUT");
