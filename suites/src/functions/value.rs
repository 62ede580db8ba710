//! The three kinds of values that functions take and give.

use std::fmt;

use serde_json::json;

/// An integer, a list of integers or a string.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Python `int`.
    Integer(i64),
    /// Python `list` of `int`.
    List(Vec<i64>),
    /// Python `str` of ASCII letters.
    Text(String),
}

/// The kind of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Integer,
    List,
    Text,
}

impl Value {
    /// As the sandbox sends and receives it.
    pub fn to_json(&self) -> serde_json::Value {
        match self {
            Self::Integer(number) => json!(number),
            Self::List(numbers) => json!(numbers),
            Self::Text(text) => json!(text),
        }
    }
}

/// As Python prints it.
impl fmt::Display for Value {
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
        assert_eq!(Value::List(vec![1, -2]).to_string(), "[1, -2]");
        assert_eq!(Value::List(vec![]).to_string(), "[]");
        assert_eq!(Value::Text("ab".into()).to_string(), "'ab'");
        assert_eq!(Value::Integer(-3).to_string(), "-3");
    }
}
