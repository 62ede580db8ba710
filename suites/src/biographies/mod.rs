//! The suite `biographies`: facts about synthetic people, with known information content.

mod config;
mod names;
mod relations;
mod suite;
mod values;

pub use config::BiographiesConfig;
pub use suite::Biographies;
pub(crate) use values::MONTHS;
