//! The suite `world`: real facts, carried by data crates and so present without any download.

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
