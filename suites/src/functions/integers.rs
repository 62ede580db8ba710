//! Operations on integers. Python's `//` rounds down and its `%` has the sign of the divisor; for positive divisors
//! both equal Rust's Euclidean division.

use super::operation::Operation;
use super::operation::RustFunction::IntegerToInteger;

/// The operations, in a fixed order.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "twice", phrases: ["double it", "multiply it by 2"], python: "2 * x", rust: IntegerToInteger(|x| 2 * x) },
    Operation { name: "next", phrases: ["add 1", "increase it by 1"], python: "x + 1", rust: IntegerToInteger(|x| x + 1) },
    Operation { name: "less", phrases: ["subtract 3", "decrease it by 3"], python: "x - 3", rust: IntegerToInteger(|x| x - 3) },
    Operation { name: "power", phrases: ["square it", "multiply it by itself"], python: "x * x", rust: IntegerToInteger(|x| x * x) },
    Operation { name: "minus", phrases: ["negate it", "flip its sign"], python: "-x", rust: IntegerToInteger(|x| -x) },
    Operation { name: "magnitude", phrases: ["take its absolute value", "drop its sign"], python: "abs(x)", rust: IntegerToInteger(i64::abs) },
    Operation { name: "half", phrases: ["halve it", "divide it by 2"], python: "x // 2", rust: IntegerToInteger(|x| x.div_euclid(2)) },
    Operation { name: "remainder", phrases: ["take it modulo 5", "give the remainder by 5"], python: "x % 5", rust: IntegerToInteger(|x| x.rem_euclid(5)) },
];
