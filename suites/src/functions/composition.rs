//! One to three operations in a row, and which of them are used.

use rand::Rng;

use super::operation::{Operation, all};
use super::program::{ProgramCheck, arguments, example};
use super::value::{Kind, Value};
use crate::config::FunctionsConfig;
use crate::random::{keyed, permutation};

/// Operations applied from first to last; each takes what the one before gives.
#[derive(Debug, Clone)]
pub(crate) struct Composition(Vec<&'static Operation>);

impl Composition {
    pub fn name(&self) -> String {
        self.0
            .iter()
            .map(|operation| operation.name)
            .collect::<Vec<_>>()
            .join(".")
    }

    pub fn input(&self) -> Kind {
        self.0[0].input()
    }

    /// The value that the function should give, or nothing for an argument of another kind.
    pub fn apply(&self, argument: &Value) -> Option<Value> {
        self.0
            .iter()
            .try_fold(argument.clone(), |value, operation| operation.apply(&value))
    }

    /// Signature and docstring; phrasing and example are drawn by (seed, step).
    pub fn prompt(&self, seed: u64, step: u64) -> String {
        let mut draw = keyed(seed, &format!("functions.text.{}", self.name()), step);
        let phrase = |operation: &&Operation| operation.phrases[draw.random_range(0..2)];
        let phrases: Vec<&str> = self.0.iter().map(phrase).collect();
        let argument = example(self.input(), &mut draw);
        let shown = self
            .apply(&argument)
            .map_or_else(String::new, |value| value.to_string());
        // A telling name would give the answer twice and cost tokens twice, in the signature and in the example.
        format!(
            "def f(x):\n    \"\"\"{}.\n    >>> f({argument})\n    {shown}\n    \"\"\"",
            phrases.join(", then ")
        )
    }

    /// The reference answer, one line an operation. It begins with the line break that ends the docstring.
    pub fn body(&self) -> String {
        let last = self.0.len() - 1;
        let line = |(place, operation): (usize, &&Operation)| {
            let target = if place == last { "return" } else { "x =" };
            format!("\n    {target} {}", operation.python)
        };
        self.0.iter().enumerate().map(line).collect()
    }

    pub fn document(&self, seed: u64, step: u64) -> String {
        self.prompt(seed, step) + &self.body()
    }

    /// Hidden arguments and what they should give.
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

    /// Whether this body would pass the other's check.
    pub fn agrees_with(&self, other: &Composition, seed: u64) -> bool {
        let arguments = arguments(other.input(), seed);
        arguments
            .iter()
            .all(|argument| self.apply(argument) == other.apply(argument))
    }

    /// Whether this body would do as an answer to the other: the same text, or the same values.
    fn answers(&self, other: &Composition, seed: u64) -> bool {
        self.body() == other.body() || self.agrees_with(other, seed)
    }

    /// Whether every operation matters on the hidden arguments: an answer that forgets some, or all, must fail.
    fn is_irreducible(&self, seed: u64) -> bool {
        let whole = (1u32 << self.0.len()) - 1;
        (0..whole).all(|kept| {
            let is_kept = |place: &usize| kept & (1 << place) != 0;
            let part = (0..self.0.len())
                .filter(is_kept)
                .map(|place| self.0[place])
                .collect();
            !Composition(part).agrees_with(self, seed)
        })
    }
}

/// (trained, asked): the single operations, then longer compositions, as many of two operations as of three where
/// both are allowed and there are enough. What a trained body would answer is not asked, so recital scores nothing.
pub(super) fn choose(config: &FunctionsConfig, seed: u64) -> (Vec<Composition>, Vec<Composition>) {
    let mut trained: Vec<Composition> = all()
        .map(|operation| Composition(vec![operation]))
        .collect();
    let mut pools = Vec::new();
    let mut shorter = trained.clone();
    for length in 2..=config.operations {
        let longer: Vec<Composition> = shorter.iter().flat_map(extensions).collect();
        let useful: Vec<&Composition> = longer
            .iter()
            .filter(|composition| composition.is_irreducible(seed))
            .collect();
        let order = permutation(useful.len(), seed, "functions.choice", length as u64);
        pools.push(
            order
                .into_iter()
                .map(|place| useful[place].clone())
                .collect::<Vec<_>>()
                .into_iter(),
        );
        shorter = longer;
    }
    let wanted = config.compositions.saturating_sub(trained.len());
    let mut chosen = Vec::with_capacity(wanted);
    while chosen.len() < wanted {
        let before = chosen.len();
        chosen.extend(pools.iter_mut().filter_map(Iterator::next));
        if chosen.len() == before {
            break;
        }
    }
    chosen.truncate(wanted);
    let share = (chosen.len() as f64 * config.train_fraction).round() as usize;
    let mut asked = chosen.split_off(share.clamp(1, chosen.len().saturating_sub(1).max(1)));
    trained.append(&mut chosen);
    asked.retain(|candidate| !trained.iter().any(|known| known.answers(candidate, seed)));
    (trained, asked)
}

fn extensions(composition: &Composition) -> Vec<Composition> {
    let output = composition.0.last().map(|operation| operation.output());
    all()
        .filter(|operation| Some(operation.input()) == output)
        .map(|operation| Composition(composition.0.iter().copied().chain([operation]).collect()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &str) -> Composition {
        let find = |part| all().find(|operation| operation.name == part).expect(part);
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
            composition.apply(&Value::List(vec![1, 2, 4])),
            Some(Value::Integer(12))
        );
        assert_eq!(composition.apply(&Value::Integer(1)), None);
    }

    #[test]
    fn compositions_with_an_idle_operation_are_left_out() {
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

    #[test]
    fn both_lengths_are_chosen_and_asking_for_too_many_gives_all() {
        let config = FunctionsConfig {
            compositions: 100_000,
            ..FunctionsConfig::default()
        };
        let (trained, asked) = choose(&config, 1);
        assert!(
            trained.len() + asked.len() > 1000,
            "{}",
            trained.len() + asked.len()
        );
        let (_, asked) = choose(&FunctionsConfig::default(), 1);
        let long = asked
            .iter()
            .filter(|composition| composition.0.len() == 3)
            .count();
        assert!(
            (asked.len() / 3..=2 * asked.len() / 3).contains(&long),
            "{long} of {}",
            asked.len()
        );
    }
}
