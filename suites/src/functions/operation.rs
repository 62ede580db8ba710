//! Operations, of which functions are composed.

use super::value::{PythonValue, ValueType};

/// An operation: its phrasings, its Python expression and its implementation in Rust.
#[derive(Debug)]
pub(crate) struct Operation {
    /// Unique name; names joined with dots are that of a composition.
    pub name: &'static str,
    /// Phrasings for the docstring.
    pub phrases: [&'static str; 2],
    /// The Python expression, a function of `x`.
    pub python: &'static str,
    /// The same function in Rust, which computes expected values.
    pub rust: RustFunction,
}

/// The implementation of an operation in Rust. All are total: empty lists and strings are valid arguments.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RustFunction {
    /// From a list to a list.
    ListToList(fn(&[i64]) -> Vec<i64>),
    /// From a list to an integer.
    ListToInteger(fn(&[i64]) -> i64),
    /// From an integer to an integer.
    IntegerToInteger(fn(i64) -> i64),
    /// From a string to a string.
    TextToText(fn(&str) -> String),
    /// From a string to an integer.
    TextToInteger(fn(&str) -> i64),
}

impl Operation {
    /// Type of the argument.
    pub fn input(&self) -> ValueType {
        match self.rust {
            RustFunction::ListToList(_) | RustFunction::ListToInteger(_) => ValueType::List,
            RustFunction::IntegerToInteger(_) => ValueType::Integer,
            RustFunction::TextToText(_) | RustFunction::TextToInteger(_) => ValueType::Text,
        }
    }

    /// Type of the result.
    pub fn output(&self) -> ValueType {
        match self.rust {
            RustFunction::ListToList(_) => ValueType::List,
            RustFunction::TextToText(_) => ValueType::Text,
            RustFunction::ListToInteger(_)
            | RustFunction::IntegerToInteger(_)
            | RustFunction::TextToInteger(_) => ValueType::Integer,
        }
    }

    /// The value of the Python expression; `None` if the type of the argument is not that of the input.
    pub fn apply(&self, value: &PythonValue) -> Option<PythonValue> {
        Some(match (self.rust, value) {
            (RustFunction::ListToList(function), PythonValue::List(numbers)) => {
                PythonValue::List(function(numbers))
            }
            (RustFunction::ListToInteger(function), PythonValue::List(numbers)) => {
                PythonValue::Integer(function(numbers))
            }
            (RustFunction::IntegerToInteger(function), &PythonValue::Integer(number)) => {
                PythonValue::Integer(function(number))
            }
            (RustFunction::TextToText(function), PythonValue::Text(text)) => {
                PythonValue::Text(function(text))
            }
            (RustFunction::TextToInteger(function), PythonValue::Text(text)) => {
                PythonValue::Integer(function(text))
            }
            _ => return None,
        })
    }
}
