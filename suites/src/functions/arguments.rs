//! Arguments of functions: the examples in docstrings and the hidden arguments of checks.

use rand::Rng;
use random::Stream;

use super::value::{PythonValue, ValueType};
use random::stream;

/// A random short argument for a docstring.
pub(super) fn example(value_type: ValueType, draw: &mut Stream) -> PythonValue {
    match value_type {
        ValueType::Integer => PythonValue::Integer(draw.random_range(-9..20)),
        ValueType::List => PythonValue::List((0..3).map(|_| draw.random_range(-3..10)).collect()),
        ValueType::Text => PythonValue::Text(word(4, draw)),
    }
}

/// The hidden arguments: edge cases and random values of the type, the same for all functions of a suite.
pub(super) fn arguments(value_type: ValueType, seed: u64) -> Vec<PythonValue> {
    let mut draw = stream(seed, "functions.arguments", value_type as u64);
    match value_type {
        ValueType::Integer => {
            let typical: Vec<i64> = (0..5).map(|_| draw.random_range(-40..60)).collect();
            [0, 1, -1, 7]
                .into_iter()
                .chain(typical)
                .map(PythonValue::Integer)
                .collect()
        }
        ValueType::List => {
            // The last list has duplicates and both signs, so that every operation is tested for every seed.
            let edge_cases = [vec![], vec![5], vec![-2], vec![3, -4, 3, 8, -1, 8, 6]];
            let typical = (2..7).map(|len| (0..len).map(|_| draw.random_range(-9..20)).collect());
            edge_cases
                .into_iter()
                .chain(typical.collect::<Vec<_>>())
                .map(PythonValue::List)
                .collect()
        }
        ValueType::Text => {
            let edge_cases = ["", "a", "z", "banana"].map(str::to_owned);
            let typical: Vec<String> = (3..8).map(|len| word(len, &mut draw)).collect();
            edge_cases
                .into_iter()
                .chain(typical)
                .map(PythonValue::Text)
                .collect()
        }
    }
}

/// A random string of lower-case letters.
fn word(len: usize, draw: &mut Stream) -> String {
    (0..len)
        .map(|_| char::from(draw.random_range(b'a'..=b'z')))
        .collect()
}
