//! A program with its tests.

/// Most bytes of a source: the process of the tests reads it, and has the memory of a program.
pub const MAX_SOURCE: usize = 1 << 20;

/// A program that a model wrote, and the tests that it must pass.
///
/// The tests are Python. They run in a process of their own, in which the functions and classes of the program are references: a call
/// sends its arguments as data to the program's process and receives the result as data. What is no data (an instance of a class of the
/// program, a generator) is a reference again, which has attributes, items, a length, an iterator, text and a truth value, but equals
/// nothing except itself, and has no arithmetic and no order. Exceptions are raised in the tests as the nearest built-in class.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Program {
    /// The program.
    pub source: String,
    /// Trusted code that runs before the tests, in their process: definitions that they use.
    pub prelude: String,
    /// The names that the tests take from the program, in place of those of the prelude and of Python. They can take no others.
    pub names: Vec<String>,
    /// The tests. They pass if they end without an exception. `expect(call, given, expected)` raises one unless two values have the same
    /// type and are equal, and gives the text `call` to the verdict.
    pub tests: String,
    /// Limit on wall-clock and CPU time in seconds, instead of that of [`SandboxLimits`](crate::SandboxLimits).
    pub seconds: Option<u64>,
}
