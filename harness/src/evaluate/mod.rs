//! A trained decoder on the suites: as a language model, and its scores.
//!
//! | module | contents |
//! |---|---|
//! | [`language_model`] | a decoder as `suites::LanguageModel` |
//! | [`scores`] | from answers to rows |

pub mod language_model;
pub mod scores;
