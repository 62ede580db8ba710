//! Results: typed rows, the frames and files that keep them, and the statistics drawn from them.
//!
//! A run of the harness ends as rows. [`Records`] writes each row the moment it exists, one Parquet file per run and
//! kind of row, so that whatever stops a sweep leaves whole rows behind. [`Frames`] is everything a folder of records
//! holds, in an order that depends on the rows alone: what is computed from the same rows is the same to the byte.
//! [`statistics`] turns answers into intervals, [`fits`] runs into scaling laws, and
//! [`gains`] scores into the cost at which dense would have them.
//!
//! | from | to | with |
//! |---|---|---|
//! | rows | Parquet files, frames, CSV | [`Records`], [`Frames`] |
//! | answers and losses | intervals and differences | [`statistics`] |
//! | runs at several sizes and budgets | best sizes, and the law `L(N, D)` | [`fits`] |
//! | scores of a block and of dense | how much more dense needs to be as good | [`gains`] |
//!
//! [`study`] groups the rows for comparison, [`summary`] compares all blocks at the largest budget, and [`claims`] decides, by rule, what they say about published claims.
//! [`comparison`] sets models side by side, or says why they cannot be.
//! [`published`] holds what others printed, for comparison.
//!
//! This crate knows neither models nor text; it can be read by anything that wants the numbers.
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
//!     used_share: 0.93,
//!     kl_nats: 0.41,
//!     max_share: 0.002,
//! }])?;
//! assert_eq!(records.read_all()?.usage()[0].units, 4096);
//! # Ok(())
//! # }
//! ```

mod cell;
pub mod claims;
pub mod comparison;
mod error;
mod export;
pub mod fits;
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
pub use export::export;
pub use frames::Frames;
pub use records::Records;
pub use row::Row;
pub use rows::{
    ItemRow, MatchRow, ProbeRow, RunRow, SHARE_METRICS, ScoreRow, StepRow, UsageRow, WHOLE_SUITE,
};

// Another checkout that shares the target folder compiles this crate again: see .cargo/config.toml.
const _: Option<&str> = option_env!("ISOFLOP_CHECKOUT");
