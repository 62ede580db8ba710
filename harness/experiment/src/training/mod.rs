//! Configuration of training, `[training]` of a sweep file.

mod checkpoint;
mod config;
mod data_order;
mod division;
mod init_from;
mod outliers;
mod recompute;
mod schedule;
mod zero_stage;

pub use checkpoint::CheckpointConfig;
pub use config::TrainingConfig;
pub use data_order::{SHUFFLE_BLOCK, stream_tokens};
pub use division::Division;
pub use init_from::InitFrom;
pub use outliers::OutlierConfig;
pub use recompute::Recompute;
pub use schedule::Schedule;
pub use zero_stage::ZeroStage;
