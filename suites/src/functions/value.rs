//! Arguments and return values of functions, and their types.

use std::fmt;

/// A Python value: an integer, a list of integers or a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonValue {
    /// Python `int`.
    Integer(i64),
    /// Python `list` of `int`.
    List(Vec<i64>),
    /// Python `str` of ASCII letters.
    Text(String),
}

/// The type of a [`PythonValue`]. The discriminants are steps of random streams and must not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ValueType {
    /// Python `int`.
    Integer,
    /// Python `list` of `int`.
    List,
    /// Python `str` of ASCII letters.
    Text,
}

/// The representation of the value in Python, as it is in source text.
impl fmt::Display for PythonValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(number) => write!(f, "{number}"),
            Self::List(numbers) => write!(f, "{numbers:?}"),
            Self::Text(text) => write!(f, "'{text}'"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_displayed_as_in_python() {
        assert_eq!(PythonValue::List(vec![1, -2]).to_string(), "[1, -2]");
        assert_eq!(PythonValue::List(vec![]).to_string(), "[]");
        assert_eq!(PythonValue::Text("ab".into()).to_string(), "'ab'");
        assert_eq!(PythonValue::Integer(-3).to_string(), "-3");
    }
}
