//! What models are asked: corpora, tokenizer, tasks, scoring and the code sandbox.
//!
//! A [`Suite`] is a corpus with the questions that belong to it. Three are built in: [`Biographies`] (synthetic people
//! whose information content is known), [`World`] (real facts) and [`Functions`] (small Python functions, judged by
//! running them). [`Dataset::prepare`] makes tokens of them, once; [`ask`] puts their questions to anything that
//! implements [`LanguageModel`]. Neither knows what a model is made of.

mod biographies;
mod config;
mod corpus;
mod dataset;
mod error;
mod facts;
mod functions;
mod model;
mod random;
mod sandbox;
mod score;
mod task;
mod token_file;
mod tokenizer;
mod world;

pub use biographies::Biographies;
pub use config::{BiographiesConfig, FunctionsConfig, SuitesConfig, WorldConfig};
pub use dataset::{Dataset, build};
pub use error::SuiteError;
pub use functions::{Functions, ProgramCheck, Value};
pub use model::{Continuation, Generation, LanguageModel, ModelError, Sampling};
pub use random::keyed;
pub use sandbox::{Confinement, Sandbox, SandboxError, SandboxLimits, Verdict};
pub use score::{Answer, Outcome, TaskResult, ask};
pub use task::{Item, Metric, Suite, Task};
pub use token_file::TokenFile;
pub use tokenizer::{END, Tokenizer};
pub use world::World;
