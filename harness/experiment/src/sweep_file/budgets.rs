//! `tokens = ...` or `flops = ...` of a size: the budgets of its dense decoder.

use super::error::FileError;
use super::tree::{LocatedNode, LocatedTable};
use crate::budget::{DenseBudget, MAX_TOKENS};

/// The budgets of the size `label`, each with its own label; the keys are removed from `own`.
///
/// The label of a single budget is that of the size. A list, `flops = [1e11, 3e11]`, has the labels `label@1e11` and
/// `label@3e11`.
///
/// # Errors
/// If not exactly one of both keys is present, or a value is not above 0 or listed twice.
pub fn budgets(
    file: &str,
    label: &str,
    own: &mut LocatedTable,
) -> Result<Vec<(String, DenseBudget)>, FileError> {
    let section = own.clone();
    let error = |key: &str, problem: &str, remedy: &str| {
        Err(FileError::of(file, &section, key, problem, remedy))
    };
    match (own.take("tokens"), own.take("flops")) {
        (Some(tokens), None) => match whole(tokens.node) {
            LocatedNode::Value(toml::Value::Integer(tokens))
                if tokens > 0 && tokens.unsigned_abs() > MAX_TOKENS =>
            {
                let problem = format!("= {tokens} exceeds {MAX_TOKENS}");
                error("tokens", &problem, TOKENS)
            }
            LocatedNode::Value(toml::Value::Integer(tokens)) if tokens > 0 => {
                let budget = DenseBudget::Tokens(tokens.unsigned_abs());
                Ok(vec![(label.to_owned(), budget)])
            }
            _ => error("tokens", "is not a whole number above 0", TOKENS),
        },
        (None, Some(flops)) => match flops.node {
            LocatedNode::Value(toml::Value::Array(list)) => {
                let flops: Option<Vec<f64>> = list.iter().map(positive).collect();
                if list.len() > MAX_BUDGETS {
                    let problem = format!("lists {} budgets, more than {MAX_BUDGETS}", list.len());
                    return error("flops", &problem, "divide the size into several");
                }
                match flops {
                    Some(flops) if distinct(&flops) => Ok(flops
                        .into_iter()
                        .map(|flops| (format!("{label}@{flops:e}"), DenseBudget::Flops(flops)))
                        .collect()),
                    _ => error("flops", "is not a list of distinct numbers above 0", FLOPS),
                }
            }
            LocatedNode::Value(value) => match positive(&value) {
                Some(flops) => Ok(vec![(label.to_owned(), DenseBudget::Flops(flops))]),
                None => error("flops", "is not a number above 0", FLOPS),
            },
            _ => error("flops", "is not a number above 0", FLOPS),
        },
        (Some(_), Some(_)) => error(
            "flops",
            "is given in addition to `tokens`",
            "remove one of them",
        ),
        (None, None) => error("tokens", "is missing", TOKENS),
    }
}

/// Largest number of budgets of one size.
const MAX_BUDGETS: usize = 100;
const TOKENS: &str =
    "write the training tokens of the dense decoder, such as 1_000_000, or `flops`";
const FLOPS: &str = "write training FLOPs, such as 1e12, or several, such as [1e11, 3e11]";

/// A number such as `20e9`, which TOML reads as a float, as the integer that it is; any other value as it is.
fn whole(node: LocatedNode) -> LocatedNode {
    match node {
        LocatedNode::Value(toml::Value::Float(number))
            if number.fract() == 0.0 && number.abs() < 2f64.powi(53) =>
        {
            LocatedNode::Value(toml::Value::Integer(number as i64))
        }
        other => other,
    }
}

fn positive(value: &toml::Value) -> Option<f64> {
    let number = match value {
        toml::Value::Integer(number) => *number as f64,
        toml::Value::Float(number) => *number,
        _ => return None,
    };
    (number > 0.0 && number.is_finite()).then_some(number)
}

fn distinct(flops: &[f64]) -> bool {
    let repeated = |at: usize| flops[..at].contains(&flops[at]);
    !flops.is_empty() && !(0..flops.len()).any(repeated)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<(String, DenseBudget)>, String> {
        let mut table = LocatedTable::parse("f.toml", text).unwrap();
        let budgets = budgets("f.toml", "d64", &mut table).map_err(|error| error.to_string());
        assert!(table.entries.is_empty());
        budgets
    }

    #[test]
    fn one_budget_has_the_label_of_the_size_and_several_extend_it() {
        let tokens = ("d64".to_owned(), DenseBudget::Tokens(500));
        assert_eq!(read("tokens = 500"), Ok(vec![tokens.clone()]));
        assert_eq!(read("tokens = 5e2"), Ok(vec![tokens]));
        let flops = ("d64".to_owned(), DenseBudget::Flops(1e11));
        assert_eq!(read("flops = 1e11"), Ok(vec![flops]));
        let several = vec![
            ("d64@1e11".to_owned(), DenseBudget::Flops(1e11)),
            ("d64@2.5e11".to_owned(), DenseBudget::Flops(2.5e11)),
        ];
        assert_eq!(read("flops = [1e11, 2.5e11]"), Ok(several));
    }

    #[test]
    fn invalid_budgets_are_errors() {
        let message = |text: &str| read(text).unwrap_err();
        assert!(message("").contains("`tokens` is missing"));
        assert!(message("tokens = 5\nflops = 1e9").contains("is given in addition to"));
        for text in [
            "tokens = 0",
            "tokens = 1.5",
            "tokens = -1e3",
            "tokens = inf",
            "flops = -1",
            "flops = []",
            "flops = [1e9, 1e9]",
            "flops = [\"a\"]",
        ] {
            assert!(message(text).contains("above 0"), "{text}");
        }
    }
}
