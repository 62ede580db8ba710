//! Evaluation of a trained decoder on the suites and on published benchmarks, and scores of given answers.
//!
//! | module | contents |
//! |---|---|
//! | [`benchmark_model`] | `benchmarks::model::Model` for a decoder |
//! | [`benchmark_scores`] | means, intervals, baselines and differences of judged answers |
//! | `generation` | generation with a key-value cache |
//! | [`language_model`] | `suites::LanguageModel` for a decoder |
//! | [`scores`] | rows of scores and of items |

pub mod benchmark_model;
pub mod benchmark_scores;
mod generation;
pub mod language_model;
pub mod scores;
