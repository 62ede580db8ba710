//! Evaluation of a trained decoder on the suites and on published benchmarks, and scores of given answers.
//!
//! | module | contents |
//! |---|---|
//! | [`answering`] | answers of a model to a benchmark, kept in a cache |
//! | [`benchmark_model`] | `benchmarks::model::Model` for a decoder |
//! | [`benchmark_scores`] | means, intervals, baselines and differences of judged answers |
//! | `generation` | generation with a key-value cache |
//! | [`held_out`] | nats per token and bits per byte on held-out documents of corpora |
//! | [`language_model`] | `suites::LanguageModel` for a decoder |
//! | [`model_source`] | the models that can be evaluated, by name |
//! | [`samples`] | prompts, answers and metrics of a benchmark's items as rows |
//! | [`scores`] | rows of scores and of items |

pub mod answering;
pub mod benchmark_model;
pub mod benchmark_scores;
mod generation;
pub mod held_out;
pub mod language_model;
pub mod model_source;
pub mod samples;
pub mod scores;
