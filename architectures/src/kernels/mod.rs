//! Operations for which Burn's own would read memory several times or write large intermediates: table lookups that
//! gather nothing, sparse updates, the search among product keys, experts' products and a decoder layer's fused
//! operations.
//!
//! Each file here declares one set of operations as a Burn backend extension, with its gradients. `composed` holds the
//! default bodies, made of Burn's own operations, for any backend; `cpu`, `cube` and `libtorch` override them. A table is
//! a plain tensor outside autodiff: its gradient is the triple (ids, weights, rows) of
//! [`crate::value_table::TableGradient`].

mod adam_step;
#[cfg(test)]
mod agreement;
mod attention_shape;
mod composed;
mod cpu;
#[cfg(feature = "cube")]
mod cube;
pub(crate) mod exchange;
pub mod experts;
pub mod fused;
pub(crate) mod gather;
#[cfg(feature = "tch")]
mod libtorch;
pub mod lookup;
pub mod product_key_search;
pub mod routes;
pub mod routing;
pub(crate) mod row_top_k;
mod stochastic_rounding;
pub(crate) mod table_memory;

pub use adam_step::AdamStep;
pub use attention_shape::AttentionShape;
pub use fused::FusedOps;
pub use lookup::LookupOps;
pub use stochastic_rounding::RoundingCounters;
