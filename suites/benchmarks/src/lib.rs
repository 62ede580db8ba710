//! Published question and coding benchmarks: their files as published, prompts and metrics by the conventions of
//! lm-evaluation-harness, and the judgement of answers, whatever gave them.
//!
//! A benchmark is a small TOML file of declarations ([`Task`]); those of this crate are embedded ([`builtin`]), and a user's own is read
//! the same way. Prompts are Jinja templates, answers and choices Jinja expressions over the fields of a record.
//!
//! | module | contents |
//! |---|---|
//! | [`task`] | declarations, read and validated |
//! | [`builtin`] | the embedded declarations |
//! | [`records`] | files of records: JSON lines, JSON, CSV and TSV, each also gzipped |
//! | [`expressions`] | templates and expressions with the filters that the declarations use |
//! | [`items`] | what a model is asked: prompts, choices, accepted answers |
//! | [`answers`] | answers from elsewhere, JSON lines |
//! | [`requests`] | prompts and continuations as token ids |
//! | [`model`] | answers of a language model |
//! | [`text`] | normalisations of answers |
//! | [`judge`] | the metrics of one item |
//! | [`programs`] | answers that are programs: run and judged in a sandbox |
//! | [`summary`] | means over items and groups, with standard errors |
//!
//! ```
//! use benchmarks::{Task, builtin};
//!
//! let task = builtin::find("nq_open").unwrap();
//! assert_eq!((task.name.as_str(), task.rows), ("nq_open", Some(3610)));
//! ```

pub mod answers;
pub mod builtin;
mod error;
pub mod expressions;
pub mod items;
pub mod judge;
pub mod model;
pub mod programs;
pub mod records;
pub mod requests;
pub mod summary;
pub mod task;
pub mod text;

pub use error::BenchmarkError;
pub use items::{Benchmark, Item, ItemKind};
pub use task::Task;
