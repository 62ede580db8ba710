//! How a decoder is trained, as configured: the sweep file's `[training]`.

mod config;
mod data_order;
mod schedule;

pub use config::TrainingConfig;
pub use data_order::{SHUFFLE_BLOCK, stream_tokens};
pub use schedule::Schedule;
