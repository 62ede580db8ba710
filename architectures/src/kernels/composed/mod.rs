//! Default bodies of the extensions, composed of Burn's own operations: correct on every backend, and slower than a
//! kernel.
//!
//! They compute in the number format of their operands, but for attention and product-key search in bf16, whose products
//! alone are in bf16, and for tables in bf16, whose rows are computed with in f32. Intermediates over tokens and rows, or over queries and keys, are
//! computed in pieces of at most [`lookup::MAX_BYTES`] or [`attention::MAX_BYTES`] bytes. None of them adds rows with a
//! scatter, which on some backends races between entries of one row.

pub mod attention;
pub mod experts;
pub mod layer;
pub mod lookup;
mod operand;
pub mod routing;
pub mod row_adam;

use operand::Operand;
