//! One to three operations, applied one after the other.

use rand::Rng;

use super::arguments::{arguments, example};
use super::operation::Operation;
use super::program_check::ProgramCheck;
use super::value::{PythonValue, ValueType};
use random::stream;

/// Operations applied from first to last; each takes the result of the one before.
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

    /// Type of the result.
    pub fn output(&self) -> Option<ValueType> {
        self.0.last().map(|operation| operation.output())
    }

    /// The expected value; `None` for an argument of another type.
    pub fn apply(&self, argument: &PythonValue) -> Option<PythonValue> {
        self.0
            .iter()
            .try_fold(argument.clone(), |value, operation| operation.apply(&value))
    }

    /// Signature and docstring, with phrasing and example drawn by (seed, step).
    pub fn prompt(&self, seed: u64, step: u64) -> String {
        let mut draw = stream(seed, &format!("functions.text.{}", self.name()), step);
        let phrase = |operation: &&Operation| operation.phrases[draw.random_range(0..2)];
        let phrases: Vec<&str> = self.0.iter().map(phrase).collect();
        let argument = example(self.input(), &mut draw);
        let shown = self
            .apply(&argument)
            .map_or_else(String::new, |value| value.to_string());
        // A descriptive name would contain the answer, and cost tokens twice: in the signature and in the example.
        format!(
            "def f(x):\n    \"\"\"{}.\n    >>> f({argument})\n    {shown}\n    \"\"\"",
            phrases.join(", then ")
        )
    }

    /// The reference answer, one line per operation. It begins with the line break that ends the docstring.
    pub fn body(&self) -> String {
        let last = self.0.len() - 1;
        let line = |(index, operation): (usize, &&Operation)| {
            let target = if index == last { "return" } else { "x =" };
            format!("\n    {target} {}", operation.python)
        };
        self.0.iter().enumerate().map(line).collect()
    }

    /// Prompt and reference answer.
    pub fn document(&self, seed: u64, step: u64) -> String {
        self.prompt(seed, step) + &self.body()
    }

    /// Hidden arguments and expected values.
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

    /// Whether this body passes the check of the other.
    pub fn agrees_with(&self, other: &Composition, seed: u64) -> bool {
        let arguments = arguments(other.input(), seed);
        arguments
            .iter()
            .all(|argument| self.apply(argument) == other.apply(argument))
    }

    /// Whether this body is a correct answer to the other: the same text, or the same values.
    pub fn answers(&self, other: &Composition, seed: u64) -> bool {
        self.body() == other.body() || self.agrees_with(other, seed)
    }

    /// Whether every operation matters on the hidden arguments: an answer without some, or all, of them must fail.
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
    fn a_composition_reads_and_computes_from_first_to_last() {
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
    fn compositions_with_an_idle_operation_are_reducible() {
        for idle in [
            "sort.distinct",
            "reverse.reverse",
            "double.sort.sum",
            "negate.square",
            "upper.length",
        ] {
            assert!(!named(idle).is_irreducible(1), "{idle}");
        }
        for useful in ["sort.tail", "evens.sum", "sum.half", "mirror.behead"] {
            assert!(named(useful).is_irreducible(1), "{useful}");
        }
    }
}
