//! The biographies of bioS, for measuring capacity in bits.

mod config;
mod person;
mod pools;
mod sentences;
mod suite;

pub use config::BiosConfig;
pub use suite::Bios;
