//! The operations' loops on the CPU, over slices of f32, with tables in f32 or bf16, and the Burn backend that calls them ([`flex`]).
//!
//! Work is split over tokens, rows or tiles with rayon, never over the terms of one sum: results do not depend on the
//! number of threads.

mod adam;
mod attention;
mod bag;
pub mod bf16_rounding;
mod cached_attention;
mod cross_entropy;
mod exp;
pub mod experts;
mod flex;
#[cfg(any(test, feature = "portable-math"))]
mod fma_product;
mod grouped_bag;
#[cfg(test)]
mod instruction_sets;
mod matmul;
mod prefetch;
mod product_key_search;
mod product_key_top_k;
mod rms_norm;
pub mod routing;
mod row_adam;
mod swiglu;
pub mod table_element;
mod top_k;
