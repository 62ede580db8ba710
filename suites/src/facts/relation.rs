//! The wording of a relation, in statements and in questions.

/// Wording of one relation. `{s}` is replaced by the subject and `{v}` by the value.
///
/// Statements end with their value and without a full stop: the document separator ends them, and any of them can be
/// used as a cloze. Documents are this short because small budgets are only thousands of documents.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// Name of its task.
    pub name: &'static str,
    /// At least two: one of them is held out per fact.
    pub statements: &'static [&'static str],
    /// Question phrasings of the train split.
    pub questions: &'static [&'static str],
    /// The question phrasing of the test split, which does not occur in training.
    pub unseen: &'static str,
    /// Number of equally likely values, where values are drawn uniformly.
    pub values: Option<usize>,
}

impl Relation {
    /// A statement as a document.
    pub fn statement(&self, phrasing: usize, subject: &str, value: &str) -> String {
        self.statements[phrasing]
            .replace("{s}", subject)
            .replace("{v}", value)
    }

    /// The statement up to its value, without the space before it.
    pub fn cloze(&self, phrasing: usize, subject: &str) -> String {
        let opening = self.statements[phrasing].trim_end_matches("{v}").trim_end();
        opening.replace("{s}", subject)
    }

    /// Question and answer as a document.
    pub fn question(&self, phrasing: usize, subject: &str, value: &str) -> String {
        format!(
            "{} {value}",
            question_prompt(self.questions[phrasing], subject)
        )
    }

    /// The question of the test split as a prompt.
    pub fn unseen_question(&self, subject: &str) -> String {
        question_prompt(self.unseen, subject)
    }

    /// log2 of the number of equally likely values.
    pub fn prior_bits(&self) -> Option<f64> {
        self.values.map(|values| (values as f64).log2())
    }
}

fn question_prompt(question: &str, subject: &str) -> String {
    format!("Q: {}\nA:", question.replace("{s}", subject))
}

/// Asserts the form that every relation of a suite must have; called by the tests of the suites.
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
            assert!(texts.insert(*statement), "{statement} states two relations");
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
