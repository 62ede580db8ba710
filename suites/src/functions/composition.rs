//! Functions that are compositions of one to three operations.

use rand::Rng;

use super::arguments::{arguments, example};
use super::operation::Operation;
use super::program_check::ProgramCheck;
use super::value::{PythonValue, ValueType};
use random::stream;

/// A composition of operations, applied from first to last, each to the result of the previous one.
#[derive(Debug, Clone)]
pub(super) struct Composition(Vec<&'static Operation>);

impl Composition {
    /// A single operation.
    pub fn single(operation: &'static Operation) -> Self {
        Self(vec![operation])
    }

    /// This composition followed by one more operation.
    pub fn then(&self, operation: &'static Operation) -> Self {
        Self(self.0.iter().copied().chain([operation]).collect())
    }

    /// Number of operations.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Names of the operations, joined with dots.
    pub fn name(&self) -> String {
        self.0
            .iter()
            .map(|operation| operation.name)
            .collect::<Vec<_>>()
            .join(".")
    }

    /// Type of the argument.
    pub fn input(&self) -> ValueType {
        self.0[0].input()
    }

    /// Type of the result; `None` for an empty composition.
    pub fn output(&self) -> Option<ValueType> {
        self.0.last().map(|operation| operation.output())
    }

    /// The expected return value for `argument`; `None` if its type is not that of the input.
    pub fn apply(&self, argument: &PythonValue) -> Option<PythonValue> {
        self.0
            .iter()
            .try_fold(argument.clone(), |value, operation| operation.apply(&value))
    }

    /// Signature and docstring; the phrasing and the example are drawn by (seed, step).
    pub fn prompt(&self, seed: u64, step: u64) -> String {
        let mut draw = stream(seed, &format!("functions.text.{}", self.name()), step);
        let phrase = |operation: &&Operation| operation.phrases[draw.random_range(0..2)];
        let phrases: Vec<&str> = self.0.iter().map(phrase).collect();
        let argument = example(self.input(), &mut draw);
        let shown = self
            .apply(&argument)
            .map_or_else(String::new, |value| value.to_string());
        // A descriptive name would contain the answer and require tokens in the signature and in the example.
        format!(
            "def f(x):\n    \"\"\"{}.\n    >>> f({argument})\n    {shown}\n    \"\"\"",
            phrases.join(", then ")
        )
    }

    /// The reference body, one line per operation, starting with the line break after the docstring.
    pub fn body(&self) -> String {
        let last = self.0.len() - 1;
        let line = |(index, operation): (usize, &&Operation)| {
            let target = if index == last { "return" } else { "x =" };
            format!("\n    {target} {}", operation.python)
        };
        self.0.iter().enumerate().map(line).collect()
    }

    /// Prompt and reference body.
    pub fn document(&self, seed: u64, step: u64) -> String {
        self.prompt(seed, step) + &self.body()
    }

    /// The check: hidden arguments and expected values.
    pub fn check(&self, seed: u64) -> ProgramCheck {
        let arguments = arguments(self.input(), seed);
        let expected = arguments
            .iter()
            .filter_map(|argument| self.apply(argument))
            .collect();
        ProgramCheck {
            function: "f".to_owned(),
            arguments,
            expected,
        }
    }

    /// Whether the body of this composition passes the check of `other`.
    pub fn agrees_with(&self, other: &Composition, seed: u64) -> bool {
        let arguments = arguments(other.input(), seed);
        arguments
            .iter()
            .all(|argument| self.apply(argument) == other.apply(argument))
    }

    /// Whether the body of this composition is equal to that of `other` or passes its check.
    pub fn solves(&self, other: &Composition, seed: u64) -> bool {
        self.body() == other.body() || self.agrees_with(other, seed)
    }

    /// Whether no proper subset of the operations passes the check, so that every operation is necessary.
    pub fn is_irreducible(&self, seed: u64) -> bool {
        let whole = (1u32 << self.0.len()) - 1;
        (0..whole).all(|kept| {
            let is_kept = |index: &usize| kept & (1 << index) != 0;
            let part = (0..self.0.len())
                .filter(is_kept)
                .map(|index| self.0[index])
                .collect();
            !Composition(part).agrees_with(self, seed)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::catalog::all_operations;

    fn named(name: &str) -> Composition {
        let find = |part| {
            all_operations()
                .find(|operation| operation.name == part)
                .expect(part)
        };
        Composition(name.split('.').map(find).collect())
    }

    #[test]
    fn operations_are_applied_from_first_to_last() {
        let composition = named("evens.double.sum");
        assert_eq!(
            composition.body(),
            "\n    x = [v for v in x if v % 2 == 0]\n    x = [2 * v for v in x]\n    return sum(x)"
        );
        assert_eq!(
            composition.apply(&PythonValue::List(vec![1, 2, 4])),
            Some(PythonValue::Integer(12))
        );
        assert_eq!(composition.apply(&PythonValue::Integer(1)), None);
    }

    #[test]
    fn compositions_with_a_redundant_operation_are_reducible() {
        for reducible in [
            "sort.distinct",
            "reverse.reverse",
            "double.sort.sum",
            "negate.square",
            "upper.length",
        ] {
            assert!(!named(reducible).is_irreducible(1), "{reducible}");
        }
        for irreducible in ["sort.tail", "evens.sum", "sum.half", "mirror.behead"] {
            assert!(named(irreducible).is_irreducible(1), "{irreducible}");
        }
    }
}
