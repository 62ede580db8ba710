//! Configuration of training, `[training]` of a sweep file.

mod config;
mod data_order;
mod schedule;

pub use config::TrainingConfig;
pub use data_order::{SHUFFLE_BLOCK, stream_tokens};
pub use schedule::Schedule;
