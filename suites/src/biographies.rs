//! Synthetic people with six attributes each, after "Physics of Language Models 3.3" (Allen-Zhu and Li).
//!
//! Values are drawn uniformly and independently, so what there is to know is known to the bit: 41.4 bits a person.
//! With the answer's loss in bits this gives the knowledge that a model has stored. The original has 47.6 bits (a
//! full birth date, more employers, a work city implied by the employer) and paragraphs of six sentences; here a
//! document is one sentence, because budgets are small.

mod names;
mod relations;
mod values;

pub(crate) use names::NAME_SPACE;

use rand::Rng;

use crate::config::BiographiesConfig;
use crate::facts::{Fact, FactBook, Protocol};
use crate::random::keyed;
use crate::task::{Suite, Task, fingerprint_of};

/// The suite `biographies`.
#[derive(Debug)]
pub struct Biographies {
    book: FactBook,
    settings: String,
}

impl Biographies {
    /// People, attributes and phrasings follow from the seed.
    pub fn new(config: &BiographiesConfig, seed: u64) -> Self {
        let mut facts = Vec::with_capacity(config.people * 6);
        let attributes = values::attributes();
        for (person, name) in names::unique(config.people, seed).into_iter().enumerate() {
            let mut draw = keyed(seed, "biographies.attributes", person as u64);
            for (relation, attribute) in attributes.iter().enumerate() {
                facts.push(Fact {
                    relation,
                    subject: name.clone(),
                    value: attribute[draw.random_range(0..attribute.len())].clone(),
                });
            }
        }
        let protocol = Protocol {
            seed,
            repeats: config.repeats,
            train_fraction: config.train_fraction,
            question_rate: config.question_rate,
            questions: config.questions,
        };
        Self {
            book: FactBook::new(
                "biographies",
                relations::relations(&attributes),
                facts,
                protocol,
            ),
            settings: format!("{config:?} {seed}"),
        }
    }
}

impl Suite for Biographies {
    fn name(&self) -> &'static str {
        "biographies"
    }

    fn fingerprint(&self) -> String {
        fingerprint_of(self, &self.settings)
    }

    fn documents(&self, pass: u64) -> Vec<String> {
        self.book.documents(pass)
    }

    fn held_out_documents(&self) -> Vec<String> {
        self.book.held_out_documents()
    }

    fn tasks(&self) -> Vec<Task> {
        self.book.tasks()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn suite(people: usize, seed: u64) -> Biographies {
        let config = BiographiesConfig {
            people,
            ..BiographiesConfig::default()
        };
        Biographies::new(&config, seed)
    }

    #[test]
    fn a_person_holds_the_bits_that_the_docs_claim() {
        let recall = suite(50, 1).tasks().pop().expect("recall");
        assert_eq!((recall.items.len(), recall.population), (300, 300));
        let bits: f64 = recall.items.iter().filter_map(|item| item.prior_bits).sum();
        assert!((bits / 50.0 - 41.4).abs() < 0.1, "{}", bits / 50.0);
    }

    #[test]
    fn there_is_a_task_for_each_attribute_and_recall() {
        let tasks = suite(40, 1).tasks();
        assert_eq!(tasks.len(), 7);
        assert!(
            tasks
                .iter()
                .all(|task| task.baseline.is_some_and(|share| share < 0.4))
        );
    }

    #[test]
    fn the_fingerprint_follows_the_seed_and_the_size() {
        let here = suite(20, 1).fingerprint();
        assert_eq!(here, suite(20, 1).fingerprint());
        assert_ne!(here, suite(20, 2).fingerprint());
        assert_ne!(here, suite(21, 1).fingerprint());
    }
}
