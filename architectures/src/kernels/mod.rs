//! The operations that stock tensors do badly: lookups that never materialise what they gather, and sparse updates.
//!
//! [`ops`] declares them once as a Burn backend extension with their gradients; the other files are what the CPU
//! backend runs. A table is a plain tensor outside autodiff: what reaches it is the triple (ids, weights, rows) of
//! [`crate::value_table::TableGradient`].

mod bag;
mod flex;
pub mod ops;
mod product_key_top_k;
mod row_adam;

pub use ops::LookupOps;
pub use row_adam::AdamStep;
