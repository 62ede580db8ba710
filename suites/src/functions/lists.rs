//! Operations on lists of integers.

use super::operation::Operation;
use super::operation::RustFunction::{ListToInteger, ListToList};

/// The operations, in a fixed order.
#[rustfmt::skip]
pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "sort", phrases: ["sort", "put in order"], python: "sorted(x)", rust: ListToList(sort) },
    Operation { name: "reverse", phrases: ["reverse", "turn around"], python: "x[::-1]", rust: ListToList(reverse) },
    Operation { name: "double", phrases: ["double each", "multiply each by 2"], python: "[2 * v for v in x]", rust: ListToList(|x| each(x, |v| 2 * v)) },
    Operation { name: "increment", phrases: ["add 1 to each", "increase each by 1"], python: "[v + 1 for v in x]", rust: ListToList(|x| each(x, |v| v + 1)) },
    Operation { name: "square", phrases: ["square each", "multiply each by itself"], python: "[v * v for v in x]", rust: ListToList(|x| each(x, |v| v * v)) },
    Operation { name: "negate", phrases: ["negate each", "flip each sign"], python: "[-v for v in x]", rust: ListToList(|x| each(x, |v| -v)) },
    Operation { name: "absolute", phrases: ["take each absolute value", "drop each sign"], python: "[abs(v) for v in x]", rust: ListToList(|x| each(x, i64::abs)) },
    Operation { name: "evens", phrases: ["keep the even ones", "drop the odd ones"], python: "[v for v in x if v % 2 == 0]", rust: ListToList(|x| keep(x, |v| v % 2 == 0)) },
    Operation { name: "odds", phrases: ["keep the odd ones", "drop the even ones"], python: "[v for v in x if v % 2 == 1]", rust: ListToList(|x| keep(x, |v| v % 2 != 0)) },
    Operation { name: "positives", phrases: ["keep the positive ones", "keep those above 0"], python: "[v for v in x if v > 0]", rust: ListToList(|x| keep(x, |v| v > 0)) },
    Operation { name: "distinct", phrases: ["sort without repeats", "list the distinct ones in order"], python: "sorted(set(x))", rust: ListToList(distinct) },
    Operation { name: "tail", phrases: ["drop the first", "skip the first"], python: "x[1:]", rust: ListToList(|x| x.get(1..).unwrap_or_default().to_vec()) },
    Operation { name: "init", phrases: ["drop the last", "skip the last"], python: "x[:-1]", rust: ListToList(|x| x[..x.len().saturating_sub(1)].to_vec()) },
    Operation { name: "alternate", phrases: ["keep every second", "take every other"], python: "x[::2]", rust: ListToList(|x| x.iter().copied().step_by(2).collect()) },
    Operation { name: "sum", phrases: ["sum all", "add up"], python: "sum(x)", rust: ListToInteger(|x| x.iter().sum()) },
    Operation { name: "count", phrases: ["count them", "give how many"], python: "len(x)", rust: ListToInteger(|x| x.len() as i64) },
    Operation { name: "largest", phrases: ["take the largest or 0", "give the maximum or 0"], python: "max(x, default=0)", rust: ListToInteger(|x| x.iter().copied().max().unwrap_or(0)) },
    Operation { name: "smallest", phrases: ["take the smallest or 0", "give the minimum or 0"], python: "min(x, default=0)", rust: ListToInteger(|x| x.iter().copied().min().unwrap_or(0)) },
];

fn sort(x: &[i64]) -> Vec<i64> {
    let mut sorted = x.to_vec();
    sorted.sort_unstable();
    sorted
}

fn distinct(x: &[i64]) -> Vec<i64> {
    let mut sorted = sort(x);
    sorted.dedup();
    sorted
}

fn reverse(x: &[i64]) -> Vec<i64> {
    x.iter().rev().copied().collect()
}

fn each(x: &[i64], change: fn(i64) -> i64) -> Vec<i64> {
    x.iter().map(|&v| change(v)).collect()
}

fn keep(x: &[i64], wanted: fn(i64) -> bool) -> Vec<i64> {
    x.iter().copied().filter(|&v| wanted(v)).collect()
}
