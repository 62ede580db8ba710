//! Evaluation of a trained decoder on the suites, and scores of given answers to published benchmarks.
//!
//! | module | contents |
//! |---|---|
//! | [`benchmark_scores`] | means, intervals, baselines and differences of judged answers |
//! | [`held_out`] | nats per token and bits per byte on held-out documents of corpora |
//! | [`language_model`] | `suites::LanguageModel` for a decoder |
//! | [`scores`] | rows of scores and of items |

pub mod benchmark_scores;
pub mod held_out;
pub mod language_model;
pub mod scores;
