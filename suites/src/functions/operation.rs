//! What functions are composed of.

use super::value::{Kind, Value};
use super::{integers, lists, strings};

/// One documented step: the same meaning in words, in Python and in Rust.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Unique; joined with dots it names a composition.
    pub name: &'static str,
    /// Phrasings for the docstring.
    pub phrases: [&'static str; 2],
    /// A Python expression over `x`.
    pub python: &'static str,
    pub meaning: Meaning,
}

/// The Rust side of an operation. All are total: an empty list or string is a value like any other.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Meaning {
    ListToList(fn(&[i64]) -> Vec<i64>),
    ListToInteger(fn(&[i64]) -> i64),
    IntegerToInteger(fn(i64) -> i64),
    TextToText(fn(&str) -> String),
    TextToInteger(fn(&str) -> i64),
}

/// How many operations there are.
pub(crate) const COUNT: usize =
    lists::OPERATIONS.len() + integers::OPERATIONS.len() + strings::OPERATIONS.len();

/// All operations, in a fixed order.
pub(crate) fn all() -> impl Iterator<Item = &'static Operation> {
    lists::OPERATIONS
        .iter()
        .chain(integers::OPERATIONS)
        .chain(strings::OPERATIONS)
}

impl Operation {
    pub fn input(&self) -> Kind {
        match self.meaning {
            Meaning::ListToList(_) | Meaning::ListToInteger(_) => Kind::List,
            Meaning::IntegerToInteger(_) => Kind::Integer,
            Meaning::TextToText(_) | Meaning::TextToInteger(_) => Kind::Text,
        }
    }

    pub fn output(&self) -> Kind {
        match self.meaning {
            Meaning::ListToList(_) => Kind::List,
            Meaning::TextToText(_) => Kind::Text,
            Meaning::ListToInteger(_)
            | Meaning::IntegerToInteger(_)
            | Meaning::TextToInteger(_) => Kind::Integer,
        }
    }

    /// The value that Python gives, or nothing for a value of another kind.
    pub fn apply(&self, value: &Value) -> Option<Value> {
        Some(match (self.meaning, value) {
            (Meaning::ListToList(meaning), Value::List(numbers)) => Value::List(meaning(numbers)),
            (Meaning::ListToInteger(meaning), Value::List(numbers)) => {
                Value::Integer(meaning(numbers))
            }
            (Meaning::IntegerToInteger(meaning), &Value::Integer(number)) => {
                Value::Integer(meaning(number))
            }
            (Meaning::TextToText(meaning), Value::Text(text)) => Value::Text(meaning(text)),
            (Meaning::TextToInteger(meaning), Value::Text(text)) => Value::Integer(meaning(text)),
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn names_phrases_and_expressions_are_unique_within_a_kind_of_input() {
        let mut seen = HashSet::new();
        assert_eq!(all().count(), COUNT);
        for operation in all() {
            for text in [operation.phrases[0], operation.phrases[1], operation.python] {
                assert!(seen.insert((operation.input(), text)), "{text}");
            }
            assert!(
                seen.insert((Kind::Integer, operation.name)),
                "{}",
                operation.name
            );
            assert!(!operation.name.contains('.'));
        }
    }
}
