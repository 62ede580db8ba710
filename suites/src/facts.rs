//! The protocol that people and world facts share.
//!
//! A fact is (subject, relation, value). Statements of every fact are trained on; the question form is trained on
//! for the subjects of the train split alone, and asked of the others in a phrasing that training never shows. A
//! right answer therefore needs the fact, stored from statements, and the question form, learnt from other subjects
//! (after "Physics of Language Models", parts 3.1 and 3.3).

mod phrasing;
mod questions;

pub(crate) use phrasing::Relation;
#[cfg(test)]
pub(crate) use phrasing::check_wording;

use rand::Rng;

use crate::random::{keyed, permutation};

/// Most documents held out for the validation loss: enough for a steady mean, small beside any training set.
const HELD_OUT: usize = 2048;

/// One subject, relation and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fact {
    /// Index into the relations.
    pub relation: usize,
    pub subject: String,
    pub value: String,
}

/// How often documents occur and how many questions are asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Protocol {
    pub seed: u64,
    pub repeats: usize,
    pub train_fraction: f64,
    pub question_rate: f64,
    pub questions: usize,
}

/// Facts with their relations, split by subject.
#[derive(Debug)]
pub(crate) struct FactBook {
    stream: &'static str,
    relations: Vec<Relation>,
    facts: Vec<Fact>,
    /// Per fact, whether its subject belongs to the train split.
    trained: Vec<bool>,
    protocol: Protocol,
}

impl FactBook {
    /// `stream` names the suite in the keys of its draws.
    pub fn new(
        stream: &'static str,
        relations: Vec<Relation>,
        facts: Vec<Fact>,
        protocol: Protocol,
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
    pub fn documents(&self, pass: u64) -> Vec<String> {
        let mut documents = Vec::with_capacity(self.facts.len() * self.protocol.repeats * 3 / 2);
        for (index, fact) in self.facts.iter().enumerate() {
            let relation = &self.relations[fact.relation];
            let mut draw = keyed(self.protocol.seed, &self.key("phrasing", index), pass);
            for _ in 0..self.protocol.repeats {
                let choice = draw.random_range(0..relation.statements.len() - 1);
                documents.push(relation.statement(
                    self.seen(index, choice),
                    &fact.subject,
                    &fact.value,
                ));
                // Drawn for every fact, so that the split does not shift later draws.
                let asks = draw.random_bool(self.protocol.question_rate);
                let phrasing = draw.random_range(0..relation.questions.len());
                if asks && self.trained[index] {
                    documents.push(relation.question(phrasing, &fact.subject, &fact.value));
                }
            }
        }
        documents
    }

    /// For a sample of the facts the one statement phrasing that is never used for that fact in training.
    ///
    /// The same phrasing is trained on with other facts, so the loss is about the fact and not about the wording.
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

    fn key(&self, what: &str, index: usize) -> String {
        format!("{}.{what}.{index}", self.stream)
    }

    /// The statement phrasing held out for this fact.
    fn reserved(&self, index: usize) -> usize {
        let phrasings = self.relations[self.facts[index].relation].statements.len();
        keyed(self.protocol.seed, &self.key("reserved", index), 0).random_range(0..phrasings)
    }

    /// The `choice`-th phrasing that training may use for this fact.
    fn seen(&self, index: usize, choice: usize) -> usize {
        choice + usize::from(choice >= self.reserved(index))
    }

    /// At most `most` of the facts, in an order fixed by the key.
    fn sample(
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
            .map(|place| candidates[place])
            .collect()
    }
}

/// Splits subjects, not facts: everything known of a subject is either asked or shown in question form.
fn split(stream: &str, facts: &[Fact], protocol: &Protocol) -> Vec<bool> {
    let mut subjects: Vec<&str> = facts.iter().map(|fact| fact.subject.as_str()).collect();
    subjects.sort_unstable();
    subjects.dedup();
    let share = (subjects.len() as f64 * protocol.train_fraction).round() as usize;
    let share = share.clamp(1, subjects.len().saturating_sub(1).max(1));
    let order = permutation(subjects.len(), protocol.seed, &format!("{stream}.split"), 0);
    let chosen: std::collections::HashSet<&str> = order[..share.min(order.len())]
        .iter()
        .map(|&place| subjects[place])
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

    pub(crate) fn book(question_rate: f64) -> FactBook {
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
        let protocol = Protocol {
            seed: 3,
            repeats: 2,
            train_fraction: 0.5,
            question_rate,
            questions: 10,
        };
        FactBook::new(
            "things",
            vec![relation],
            (0..40).map(fact).collect(),
            protocol,
        )
    }

    #[test]
    fn every_fact_is_stated_in_every_pass_and_only_the_train_split_is_questioned() {
        let book = book(1.0);
        let documents = book.documents(5);
        let (questions, statements): (Vec<_>, Vec<_>) =
            documents.iter().partition(|text| text.starts_with("Q:"));
        assert_eq!((statements.len(), questions.len()), (80, 40));
        let asked: HashSet<String> = book
            .tasks()
            .iter()
            .filter(|task| task.name == "colour")
            .flat_map(|task| task.items.iter().map(|item| item.id.clone()))
            .collect();
        assert!(!asked.is_empty());
        for id in asked {
            let subject = id.split_once('/').expect("relation/subject").1.to_owned() + "?";
            assert!(
                !questions.iter().any(|text| text.contains(&subject)),
                "{subject}"
            );
        }
    }

    #[test]
    fn held_out_statements_never_occur_in_training_but_their_wording_does() {
        let book = book(0.5);
        let trained: HashSet<String> = (0..200).flat_map(|pass| book.documents(pass)).collect();
        let held_out = book.held_out_documents();
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
    fn passes_differ_and_repeat_exactly() {
        let book = book(0.5);
        assert_eq!(book.documents(1), book.documents(1));
        assert_ne!(book.documents(1), book.documents(2));
    }
}
