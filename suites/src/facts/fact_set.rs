//! Facts, split by subject into a train and a test split.
//!
//! A fact is a triple (subject, relation, value). The training documents contain statements of every fact, and
//! questions about the subjects of the train split only. Subjects of the test split are tested with a question phrasing
//! that does not occur in training. A correct answer therefore requires the fact, stored from statements, and the form
//! of questions, learned from other subjects (after "Physics of Language Models", parts 3.1 and 3.3).

use rand::Rng;

use super::relation::Relation;
use crate::task::Exposures;
use random::{permutation, stream};

/// Maximum number of held-out documents for the validation loss: enough for a small standard error, few compared with
/// training sets.
const HELD_OUT: usize = 2048;

/// A triple of subject, relation and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Index into the relations.
    pub relation: usize,
    /// Subject of the fact.
    pub subject: String,
    /// Value of the relation for the subject.
    pub value: String,
}

/// Frequencies of documents and number of test items; the keys of the suites' configurations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FactProtocol {
    /// Seed of all random streams.
    pub seed: u64,
    /// Number of statements of each fact in one epoch.
    pub repeats: usize,
    /// Fraction of the subjects in the train split.
    pub train_fraction: f64,
    /// Probability that a statement about a subject of the train split is accompanied by a question.
    pub question_rate: f64,
    /// Maximum number of test items per relation.
    pub questions: usize,
}

/// Facts with their relations, split by subject.
#[derive(Debug)]
pub(crate) struct FactSet {
    stream: &'static str,
    pub(super) relations: Vec<Relation>,
    pub(super) facts: Vec<Fact>,
    /// Per fact, whether its subject belongs to the train split.
    pub(super) trained: Vec<bool>,
    pub(super) protocol: FactProtocol,
}

impl FactSet {
    /// Splits the facts; `stream` is the prefix of the names of the random streams, the name of the suite.
    pub fn new(
        stream: &'static str,
        relations: Vec<Relation>,
        facts: Vec<Fact>,
        protocol: FactProtocol,
    ) -> Self {
        let trained = split(stream, &facts, &protocol);
        Self {
            stream,
            relations,
            facts,
            trained,
            protocol,
        }
    }

    /// The documents of one epoch: statements of all facts and questions about the train split.
    pub fn documents(&self, epoch: u64) -> Vec<String> {
        let mut documents = Vec::with_capacity(self.facts.len() * self.protocol.repeats * 3 / 2);
        for (index, fact) in self.facts.iter().enumerate() {
            let relation = &self.relations[fact.relation];
            let mut draw = stream(self.protocol.seed, &self.key("phrasing", index), epoch);
            for _ in 0..self.protocol.repeats {
                let choice = draw.random_range(0..relation.statements.len() - 1);
                documents.push(relation.statement(
                    self.training_phrasing(index, choice),
                    &fact.subject,
                    &fact.value,
                ));
                // Drawn for facts of both splits, so that later draws do not depend on the split.
                let has_question = draw.random_bool(self.protocol.question_rate);
                let phrasing = draw.random_range(0..relation.questions.len());
                if has_question && self.trained[index] {
                    documents.push(relation.question(phrasing, &fact.subject, &fact.value));
                }
            }
        }
        documents
    }

    /// For a sample of the facts, the statement in the phrasing that is not used for that fact in training.
    ///
    /// The same phrasing is used for other facts in training, so the loss depends on the fact and not on the phrasing.
    pub fn held_out_documents(&self) -> Vec<String> {
        self.sample("held_out", 0..self.facts.len(), HELD_OUT)
            .into_iter()
            .map(|index| {
                let fact = &self.facts[index];
                self.relations[fact.relation].statement(
                    self.reserved(index),
                    &fact.subject,
                    &fact.value,
                )
            })
            .collect()
    }

    /// How often one epoch states the facts, by split and form.
    pub fn exposures(&self) -> Vec<Exposures> {
        let repeats = self.protocol.repeats as f64;
        let trained = self.trained.iter().filter(|&&trained| trained).count();
        let group = |split, form, facts, per_epoch, equal| Exposures {
            split,
            form,
            facts,
            per_epoch,
            equal,
        };
        let rate = self.protocol.question_rate;
        vec![
            group("train", "statement", trained, repeats, true),
            group(
                "train",
                "question",
                trained,
                repeats * rate,
                rate == 0.0 || rate == 1.0,
            ),
            group(
                "test",
                "statement",
                self.facts.len() - trained,
                repeats,
                true,
            ),
        ]
    }

    /// Name of a random stream of one fact.
    fn key(&self, draw: &str, index: usize) -> String {
        format!("{}.{draw}.{index}", self.stream)
    }

    /// Index of the statement phrasing that is held out for this fact.
    fn reserved(&self, index: usize) -> usize {
        let phrasings = self.relations[self.facts[index].relation].statements.len();
        stream(self.protocol.seed, &self.key("reserved", index), 0).random_range(0..phrasings)
    }

    /// Index of the `choice`-th statement phrasing of this fact that is not held out.
    pub(super) fn training_phrasing(&self, index: usize, choice: usize) -> usize {
        choice + usize::from(choice >= self.reserved(index))
    }

    /// A random sample of at most `max` of the candidates, in random order.
    pub(super) fn sample(
        &self,
        name: &str,
        candidates: impl IntoIterator<Item = usize>,
        max: usize,
    ) -> Vec<usize> {
        let candidates: Vec<usize> = candidates.into_iter().collect();
        let stream = format!("{}.{name}", self.stream);
        permutation(candidates.len(), self.protocol.seed, &stream, 0)
            .into_iter()
            .take(max)
            .map(|index| candidates[index])
            .collect()
    }
}

/// Per fact, whether it is in the train split. The split is by subject: all facts about a subject are in the same
/// split.
fn split(stream: &str, facts: &[Fact], protocol: &FactProtocol) -> Vec<bool> {
    let mut subjects: Vec<&str> = facts.iter().map(|fact| fact.subject.as_str()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let size = (subjects.len() as f64 * protocol.train_fraction).round() as usize;
    let size = size.clamp(1, subjects.len().saturating_sub(1).max(1));
    let order = permutation(subjects.len(), protocol.seed, &format!("{stream}.split"), 0);
    let chosen: std::collections::HashSet<&str> = order[..size.min(order.len())]
        .iter()
        .map(|&index| subjects[index])
        .collect();
    facts
        .iter()
        .map(|fact| chosen.contains(fact.subject.as_str()))
        .collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::HashSet;

    use super::*;

    pub(in crate::facts) fn colours(question_rate: f64) -> FactSet {
        let relation = Relation {
            name: "colour",
            statements: &["{s} is {v}", "{s} looks {v}", "the colour of {s} is {v}"],
            questions: &["What colour is {s}?", "How does {s} look?"],
            unseen: "Name the colour of {s}.",
            values: Some(2),
        };
        let fact = |index: usize| Fact {
            relation: 0,
            subject: format!("thing{index}"),
            value: if index.is_multiple_of(4) {
                "red"
            } else {
                "blue"
            }
            .to_owned(),
        };
        let protocol = FactProtocol {
            seed: 3,
            repeats: 2,
            train_fraction: 0.5,
            question_rate,
            questions: 10,
        };
        FactSet::new(
            "things",
            vec![relation],
            (0..40).map(fact).collect(),
            protocol,
        )
    }

    #[test]
    fn epochs_have_statements_of_all_facts_and_questions_about_the_train_split_only() {
        let facts = colours(1.0);
        let documents = facts.documents(5);
        let (questions, statements): (Vec<_>, Vec<_>) =
            documents.iter().partition(|text| text.starts_with("Q:"));
        assert_eq!((statements.len(), questions.len()), (80, 40));
        let tested: HashSet<String> = facts
            .tasks()
            .iter()
            .filter(|task| task.name == "colour")
            .flat_map(|task| task.items.iter().map(|item| item.id.clone()))
            .collect();
        assert!(!tested.is_empty());
        for id in tested {
            let subject = id.split_once('/').expect("relation/subject").1.to_owned() + "?";
            assert!(
                !questions.iter().any(|text| text.contains(&subject)),
                "{subject}"
            );
        }
    }

    #[test]
    fn exposures_are_those_of_the_documents() {
        let facts = colours(0.25);
        let (mut statements, mut questions) = (0.0, 0.0);
        for epoch in 0..400 {
            let documents = facts.documents(epoch);
            let asked = documents.iter().filter(|text| text.starts_with("Q:"));
            let asked = asked.count();
            questions += asked as f64 / 400.0;
            statements += (documents.len() - asked) as f64 / 400.0;
        }
        let mean = |form: &str| -> f64 {
            let groups = facts.exposures().into_iter();
            let groups = groups.filter(|group| group.form == form);
            groups
                .map(|group| group.facts as f64 * group.per_epoch)
                .sum()
        };
        assert!(
            (statements - mean("statement")).abs() < 1e-9,
            "{statements}"
        );
        assert!((questions - mean("question")).abs() < 0.5, "{questions}");
    }

    #[test]
    fn held_out_statements_do_not_occur_in_training_but_their_phrasings_do() {
        let facts = colours(0.5);
        let trained: HashSet<String> = (0..200).flat_map(|epoch| facts.documents(epoch)).collect();
        let held_out = facts.held_out_documents();
        assert_eq!(held_out.len(), 40);
        assert!(held_out.iter().all(|document| !trained.contains(document)));
        for wording in [" is ", " looks ", "the colour of "] {
            assert!(
                trained
                    .iter()
                    .any(|text| !text.starts_with("Q:") && text.contains(wording))
            );
        }
    }

    #[test]
    fn epochs_differ_and_are_deterministic() {
        let facts = colours(0.5);
        assert_eq!(facts.documents(1), facts.documents(1));
        assert_ne!(facts.documents(1), facts.documents(2));
    }
}
