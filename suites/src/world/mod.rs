//! The suite `world`: real facts from data crates, available without a download.

mod cities;
mod config;
mod countries;
mod currencies;
mod elements;
mod pairs;
mod relations;
mod subset;
mod suite;

pub use config::WorldConfig;
pub use suite::World;
