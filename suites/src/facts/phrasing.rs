//! How a relation is stated and asked.

/// Wording of one relation. `{s}` stands for the subject and `{v}` for the value.
///
/// Statements end with their value and without a full stop: the document separator ends them, and any of them can be
/// asked as a cloze. Documents are kept this short because small budgets are counted in thousands of documents.
#[derive(Debug, Clone)]
pub(crate) struct Relation {
    /// Name of its task.
    pub name: &'static str,
    /// At least two: one of them is held out per fact.
    pub statements: &'static [&'static str],
    /// Question phrasings of the train split.
    pub questions: &'static [&'static str],
    /// The phrasing in which the test split is asked; training never shows it.
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
        format!("{} {value}", ask(self.questions[phrasing], subject))
    }

    /// The question that only the test split is asked.
    pub fn unseen_question(&self, subject: &str) -> String {
        ask(self.unseen, subject)
    }

    /// log2 of the number of equally likely values.
    pub fn prior_bits(&self) -> Option<f64> {
        self.values.map(|values| (values as f64).log2())
    }
}

fn ask(question: &str, subject: &str) -> String {
    format!("Q: {}\nA:", question.replace("{s}", subject))
}

/// What every relation of a suite must satisfy; called by the tests of the suites.
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
            assert!(texts.insert(*question), "{question} asks two relations");
        }
    }
}
