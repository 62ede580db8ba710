//! Hidden test calls of generated functions.

use super::value::PythonValue;

/// Hidden test calls of a generated function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgramCheck {
    /// Name of the function that the source must define.
    pub function: String,
    /// Hidden arguments, one call each.
    pub arguments: Vec<PythonValue>,
    /// Expected return value of each call; the process that runs the program has no access to them.
    pub expected: Vec<PythonValue>,
}
