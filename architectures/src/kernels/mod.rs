//! The operations that stock tensors do badly: lookups that never materialise what they gather, and sparse updates, and a
//! decoder layer in few passes over memory.
//!
//! [`ops`] (lookups) and [`fused`] (the decoder's own work) declare them once as Burn backend extensions with their
//! gradients; the other files are what the CPU backend runs. A table is a plain tensor outside autodiff: what reaches it is the triple (ids, weights, rows) of
//! [`crate::value_table::TableGradient`].

mod adam;
#[cfg(test)]
mod agreement;
mod attention;
mod bag;
mod cross_entropy;
#[cfg(feature = "cube")]
mod cube;
mod exp;
mod expert_product;
pub mod experts;
mod flex;
pub mod fused;
pub(crate) mod gather;
mod grouped_bag;
#[cfg(feature = "tch")]
mod libtorch;
pub mod ops;
mod prefetch;
mod product;
mod product_key_search;
mod product_key_top_k;
mod rms_norm;
pub mod routes;
mod row_adam;
pub mod search;
mod stock;
mod swiglu;
pub(crate) mod table_memory;
mod top_k;

pub use adam::AdamStep;
pub use attention::AttentionShape;
pub use fused::FusedOps;
pub use ops::LookupOps;
