//! Arguments: the examples that docstrings show and the hidden ones that answers are judged on.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use super::value::{Kind, Value};
use crate::random::keyed;

/// How an answered function is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramCheck {
    /// Name of the function that the source must define.
    pub function: String,
    /// Hidden arguments, one call each.
    pub arguments: Vec<Value>,
    /// What the calls should give. The process that runs the answer never sees these.
    pub expected: Vec<Value>,
}

/// A short argument for a docstring.
pub(super) fn example(kind: Kind, draw: &mut ChaCha8Rng) -> Value {
    match kind {
        Kind::Integer => Value::Integer(draw.random_range(-9..20)),
        Kind::List => Value::List((0..3).map(|_| draw.random_range(-3..10)).collect()),
        Kind::Text => Value::Text(word(4, draw)),
    }
}

/// The hidden arguments: the edges of the kind and some of the middle, the same for all functions of a suite.
pub(super) fn arguments(kind: Kind, seed: u64) -> Vec<Value> {
    let mut draw = keyed(seed, "functions.arguments", kind as u64);
    match kind {
        Kind::Integer => {
            let middle: Vec<i64> = (0..5).map(|_| draw.random_range(-40..60)).collect();
            [0, 1, -1, 7]
                .into_iter()
                .chain(middle)
                .map(Value::Integer)
                .collect()
        }
        Kind::List => {
            // Repeats and both signs in a fixed one, so that no draw can leave an operation untested.
            let edges = [vec![], vec![5], vec![-2], vec![3, -4, 3, 8, -1, 8, 6]];
            let middle = (2..7).map(|len| (0..len).map(|_| draw.random_range(-9..20)).collect());
            edges
                .into_iter()
                .chain(middle.collect::<Vec<_>>())
                .map(Value::List)
                .collect()
        }
        Kind::Text => {
            let edges = ["", "a", "z", "banana"].map(str::to_owned);
            let middle: Vec<String> = (3..8).map(|len| word(len, &mut draw)).collect();
            edges.into_iter().chain(middle).map(Value::Text).collect()
        }
    }
}

fn word(len: usize, draw: &mut ChaCha8Rng) -> String {
    (0..len)
        .map(|_| char::from(draw.random_range(b'a'..=b'z')))
        .collect()
}
