//! The suite `biographies`: synthetic people whose information content is known.

mod config;
mod names;
mod relations;
mod suite;
mod values;

pub use config::BiographiesConfig;
pub use suite::Biographies;
