//! The embedded declarations.

use crate::Task;

/// Name and text of each, in the order in which they are listed.
const TASKS: [(&str, &str); 17] = [
    ("nq_open", include_str!("../tasks/nq_open.toml")),
    ("triviaqa", include_str!("../tasks/triviaqa.toml")),
    ("hotpotqa", include_str!("../tasks/hotpotqa.toml")),
    ("popqa", include_str!("../tasks/popqa.toml")),
    (
        "entityquestions",
        include_str!("../tasks/entityquestions.toml"),
    ),
    ("webqs", include_str!("../tasks/webqs.toml")),
    ("piqa", include_str!("../tasks/piqa.toml")),
    ("openbookqa", include_str!("../tasks/openbookqa.toml")),
    ("hellaswag", include_str!("../tasks/hellaswag.toml")),
    ("arc_easy", include_str!("../tasks/arc_easy.toml")),
    ("arc_challenge", include_str!("../tasks/arc_challenge.toml")),
    ("mmlu", include_str!("../tasks/mmlu.toml")),
    (
        "mmlu_continuation",
        include_str!("../tasks/mmlu_continuation.toml"),
    ),
    ("humaneval", include_str!("../tasks/humaneval.toml")),
    ("humaneval_64", include_str!("../tasks/humaneval_64.toml")),
    ("mbpp", include_str!("../tasks/mbpp.toml")),
    (
        "mbpp_sanitized",
        include_str!("../tasks/mbpp_sanitized.toml"),
    ),
];

/// Names of the embedded tasks.
pub fn names() -> impl Iterator<Item = &'static str> {
    TASKS.iter().map(|(name, _)| *name)
}

/// The embedded task of this name.
///
/// # Panics
/// If its declaration is invalid, which a test excludes.
pub fn find(name: &str) -> Option<Task> {
    let (_, text) = TASKS.iter().find(|(own, _)| *own == name)?;
    match Task::parse(name, text) {
        Ok(task) => Some(task),
        Err(error) => panic!("{error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_declaration_is_valid_and_has_its_own_name() {
        for name in names() {
            assert_eq!(find(name).unwrap().name, name);
        }
        assert!(find("nq").is_none());
    }
}
