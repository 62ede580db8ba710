//! Evaluation of a trained decoder on the suites.
//!
//! | module | contents |
//! |---|---|
//! | [`language_model`] | `suites::LanguageModel` for a decoder |
//! | [`scores`] | rows of scores and of items |

pub mod language_model;
pub mod scores;
