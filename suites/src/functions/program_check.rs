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

impl ProgramCheck {
    /// The program of an answer, with the calls and expected values as its tests.
    pub fn program(&self, source: String) -> sandbox::Program {
        let mut tests = String::new();
        for (argument, expected) in self.arguments.iter().zip(&self.expected) {
            let call = format!("{}({argument})", self.function);
            tests.push_str(&format!("expect({call:?}, {call}, {expected})\n"));
        }
        sandbox::Program {
            source,
            names: vec![self.function.clone()],
            tests,
            ..sandbox::Program::default()
        }
    }
}
