//! Training corpora and evaluation suites: documents, tokenizer, tasks, scoring.
//!
//! A [`Suite`] is a corpus with the tasks that belong to it. Three are built in: [`Biographies`] (synthetic people
//! whose information content is known), [`World`] (real facts) and [`Functions`] (small Python functions, scored by
//! executing them). [`Dataset::prepare`] tokenizes their documents and caches the result; [`evaluate`] evaluates any
//! implementation of [`LanguageModel`]. Both are independent of the model's architecture.

mod biographies;
mod bios;
mod config;
mod corpus;
mod dataset;
mod error;
mod evaluation;
mod facts;
mod functions;
mod mixture;
mod model;
mod suite_source;
mod task;
mod validation;
mod world;

pub use biographies::{Biographies, BiographiesConfig};
pub use bios::{Bios, BiosConfig};
pub use config::SuitesConfig;
pub use corpora::{END, EndToken, TokenFile, Tokenizer};
pub use dataset::{Dataset, build};
pub use error::SuiteError;
pub use evaluation::{Answer, TaskOutcome, TaskResult, evaluate};
pub use functions::{Functions, FunctionsConfig, ProgramCheck, PythonValue};
pub use mixture::{Ingredients, Mixture};
pub use model::{Continuation, Generation, LanguageModel, ModelError, Sampling};
pub use sandbox::SandboxLimits;
pub use task::{Exposures, Item, Metric, Suite, Task};
pub use world::{World, WorldConfig};

// Another checkout that shares the target folder compiles this crate again: see .cargo/config.toml.
const _: Option<&str> = option_env!("ISOFLOP_CHECKOUT");
