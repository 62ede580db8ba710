//! Facts, split by subject into those that are trained on as questions and those that are tested.
//!
//! A fact is (subject, relation, value). Statements of every fact are trained on; questions are trained on for the
//! subjects of the train split alone, and the other subjects are tested with a phrasing that does not occur in training.
//! A correct answer therefore needs the fact, stored from statements, and the question form, learnt from other subjects
//! (after "Physics of Language Models", parts 3.1 and 3.3).

use rand::Rng;

use super::relation::Relation;
use random::{permutation, stream};

/// Maximum number of held-out documents for the validation loss: enough for a mean with little noise, few compared with
/// any training set.
const HELD_OUT: usize = 2048;

/// One subject, relation and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Index into the relations.
    pub relation: usize,
    /// What the fact is about.
    pub subject: String,
    /// What the relation gives for the subject.
    pub value: String,
}

/// How often documents occur and how many items are tested; the keys of the suites' configurations.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct FactProtocol {
    /// Key of every draw.
    pub seed: u64,
    /// Number of statements of each fact in one epoch.
    pub repeats: usize,
    /// Fraction of the subjects in the train split.
    pub train_fraction: f64,
    /// Probability that a question of the train split accompanies a statement.
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
    /// `stream` is the name of the suite in the keys of its draws.
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

    /// Statements of all facts and questions of the train split.
    pub fn documents(&self, epoch: u64) -> Vec<String> {
        let mut documents = Vec::with_capacity(self.facts.len() * self.protocol.repeats * 3 / 2);
        for (index, fact) in self.facts.iter().enumerate() {
            let relation = &self.relations[fact.relation];
            let mut draw = stream(self.protocol.seed, &self.key("phrasing", index), epoch);
            for _ in 0..self.protocol.repeats {
                let choice = draw.random_range(0..relation.statements.len() - 1);
                documents.push(relation.statement(
                    self.seen(index, choice),
                    &fact.subject,
                    &fact.value,
                ));
                // Drawn for every fact, so that later draws do not depend on the split.
                let is_questioned = draw.random_bool(self.protocol.question_rate);
                let phrasing = draw.random_range(0..relation.questions.len());
                if is_questioned && self.trained[index] {
                    documents.push(relation.question(phrasing, &fact.subject, &fact.value));
                }
            }
        }
        documents
    }

    /// For a sample of the facts the one statement phrasing that is never used for that fact in training.
    ///
    /// The same phrasing is trained on with other facts, so the loss measures the fact and not the wording.
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

    /// Name of the random stream of one draw for one fact.
    fn key(&self, what: &str, index: usize) -> String {
        format!("{}.{what}.{index}", self.stream)
    }

    /// The statement phrasing held out for this fact.
    fn reserved(&self, index: usize) -> usize {
        let phrasings = self.relations[self.facts[index].relation].statements.len();
        stream(self.protocol.seed, &self.key("reserved", index), 0).random_range(0..phrasings)
    }

    /// The `choice`-th phrasing that training may use for this fact.
    pub(super) fn seen(&self, index: usize, choice: usize) -> usize {
        choice + usize::from(choice >= self.reserved(index))
    }

    /// At most `most` of the candidates, in an order fixed by the key.
    pub(super) fn sample(
        &self,
        what: &str,
        candidates: impl IntoIterator<Item = usize>,
        most: usize,
    ) -> Vec<usize> {
        let candidates: Vec<usize> = candidates.into_iter().collect();
        let stream = format!("{}.{what}", self.stream);
        permutation(candidates.len(), self.protocol.seed, &stream, 0)
            .into_iter()
            .take(most)
            .map(|index| candidates[index])
            .collect()
    }
}

/// Per fact, whether it belongs to the train split. Subjects are split, not facts: all facts about a subject are in one
/// split.
fn split(stream: &str, facts: &[Fact], protocol: &FactProtocol) -> Vec<bool> {
    let mut subjects: Vec<&str> = facts.iter().map(|fact| fact.subject.as_str()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let share = (subjects.len() as f64 * protocol.train_fraction).round() as usize;
    let share = share.clamp(1, subjects.len().saturating_sub(1).max(1));
    let order = permutation(subjects.len(), protocol.seed, &format!("{stream}.split"), 0);
    let chosen: std::collections::HashSet<&str> = order[..share.min(order.len())]
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
    fn every_fact_is_stated_in_every_epoch_and_only_the_train_split_is_questioned() {
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
    fn held_out_statements_never_occur_in_training_but_their_wording_does() {
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
    fn epochs_differ_and_repeat_exactly() {
        let facts = colours(0.5);
        assert_eq!(facts.documents(1), facts.documents(1));
        assert_ne!(facts.documents(1), facts.documents(2));
    }
}
