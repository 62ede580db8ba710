//! The devices that were compiled in.

pub use architectures::DeviceName;
