//! The hidden calls by which an answered function is judged.

use super::value::PythonValue;

/// The calls by which an answered function is judged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramCheck {
    /// Name of the function that the source must define.
    pub function: String,
    /// Hidden arguments, one call each.
    pub arguments: Vec<PythonValue>,
    /// Return value of each call. The process that runs the answer has no access to these.
    pub expected: Vec<PythonValue>,
}
