//! All operations.

use super::operation::Operation;
use super::{integers, lists, strings};

/// Number of operations.
pub(super) const OPERATIONS: usize =
    lists::OPERATIONS.len() + integers::OPERATIONS.len() + strings::OPERATIONS.len();

/// All operations, in a fixed order.
pub(super) fn all_operations() -> impl Iterator<Item = &'static Operation> {
    lists::OPERATIONS
        .iter()
        .chain(integers::OPERATIONS)
        .chain(strings::OPERATIONS)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::functions::value::ValueType;

    #[test]
    fn names_phrases_and_expressions_are_unique_within_an_input_type() {
        let mut seen = HashSet::new();
        assert_eq!(all_operations().count(), OPERATIONS);
        for operation in all_operations() {
            for text in [operation.phrases[0], operation.phrases[1], operation.python] {
                assert!(seen.insert((operation.input(), text)), "{text}");
            }
            assert!(
                seen.insert((ValueType::Integer, operation.name)),
                "{}",
                operation.name
            );
            assert!(!operation.name.contains('.'));
        }
    }
}
