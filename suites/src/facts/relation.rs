//! The phrasings of a relation, as statements and as questions.

/// Phrasings of one relation. `{s}` is replaced by the subject and `{v}` by the value.
///
/// Statements end with the value, without a full stop, so that each can be used as a cloze; the document separator ends
/// them. Documents are short because small training budgets are only thousands of documents.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// Name of its task.
    pub name: &'static str,
    /// Statement phrasings, at least two: one of them is held out per fact.
    pub statements: &'static [&'static str],
    /// Question phrasings of the train split.
    pub questions: &'static [&'static str],
    /// The question phrasing of the test split, which does not occur in training.
    pub unseen: &'static str,
    /// Number of equally probable values; `None` if values are not drawn uniformly.
    pub values: Option<usize>,
}

impl Relation {
    /// The document of a statement.
    pub fn statement(&self, phrasing: usize, subject: &str, value: &str) -> String {
        self.statements[phrasing]
            .replace("{s}", subject)
            .replace("{v}", value)
    }

    /// The statement without its value and the preceding space, as a prompt.
    pub fn cloze(&self, phrasing: usize, subject: &str) -> String {
        let opening = self.statements[phrasing].trim_end_matches("{v}").trim_end();
        opening.replace("{s}", subject)
    }

    /// The document of a question and its answer.
    pub fn question(&self, phrasing: usize, subject: &str, value: &str) -> String {
        format!(
            "{} {value}",
            question_prompt(self.questions[phrasing], subject)
        )
    }

    /// The prompt of the question of the test split.
    pub fn unseen_question(&self, subject: &str) -> String {
        question_prompt(self.unseen, subject)
    }

    /// log2 of the number of equally probable values; `None` if values are not drawn uniformly.
    pub fn prior_bits(&self) -> Option<f64> {
        self.values.map(|values| (values as f64).log2())
    }
}

fn question_prompt(question: &str, subject: &str) -> String {
    format!("Q: {}\nA:", question.replace("{s}", subject))
}

/// Asserts the required form of every relation of a suite; called by the tests of the suites.
#[cfg(test)]
pub(crate) fn check_wording(relations: &[Relation]) {
    let mut names = std::collections::HashSet::new();
    let mut texts = std::collections::HashSet::new();
    for relation in relations {
        assert!(names.insert(relation.name), "{} twice", relation.name);
        assert!(
            relation.statements.len() >= 3 && relation.questions.len() >= 2,
            "{}",
            relation.name
        );
        for statement in relation.statements {
            assert!(
                statement.ends_with(" {v}") && statement.matches("{s}").count() == 1,
                "{statement}"
            );
            assert!(
                texts.insert(*statement),
                "{statement} is a statement of two relations"
            );
        }
        for question in relation.questions.iter().chain([&relation.unseen]) {
            assert!(
                question.matches("{s}").count() == 1 && !question.contains("{v}"),
                "{question}"
            );
            assert!(
                texts.insert(*question),
                "{question} is a question of two relations"
            );
        }
    }
}
