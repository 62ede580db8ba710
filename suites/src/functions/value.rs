//! The values that functions take and return, and their types.

use std::fmt;

use serde_json::json;

/// An integer, a list of integers or a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonValue {
    /// Python `int`.
    Integer(i64),
    /// Python `list` of `int`.
    List(Vec<i64>),
    /// Python `str` of ASCII letters.
    Text(String),
}

/// The type of a [`PythonValue`]. The discriminants are steps of random streams, so their order is fixed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum ValueType {
    /// Python `int`.
    Integer,
    /// Python `list` of `int`.
    List,
    /// Python `str` of ASCII letters.
    Text,
}

impl PythonValue {
    /// The JSON form that the sandbox sends and receives.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Integer(number) => json!(number),
            Self::List(numbers) => json!(numbers),
            Self::Text(text) => json!(text),
        }
    }
}

/// As Python prints it.
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
    fn values_print_as_python_prints_them() {
        assert_eq!(PythonValue::List(vec![1, -2]).to_string(), "[1, -2]");
        assert_eq!(PythonValue::List(vec![]).to_string(), "[]");
        assert_eq!(PythonValue::Text("ab".into()).to_string(), "'ab'");
        assert_eq!(PythonValue::Integer(-3).to_string(), "-3");
    }
}
