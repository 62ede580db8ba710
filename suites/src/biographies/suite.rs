//! Synthetic people with six attributes each, after "Physics of Language Models: Part 3.3" (Allen-Zhu and Li).
//!
//! Values are drawn uniformly and independently, so the information content is known exactly: 41.4 bits per person. The
//! number of bits that a model has stored is this minus the loss of its answers in bits. In the paper a person has 47.6
//! bits (a full birth date, more employers, a work city implied by the employer) and documents are paragraphs of six
//! sentences; here a document is one sentence, because training budgets are small.

use rand::Rng;

use super::config::BiographiesConfig;
use super::{names, relations, values};
use crate::facts::{Fact, FactProtocol, FactSet};
use crate::task::{Exposures, Suite, Task, fingerprint_of};
use random::stream;

/// The suite `biographies`.
#[derive(Debug)]
pub struct Biographies {
    facts: FactSet,
    settings: String,
}

impl Biographies {
    /// The suite of a valid configuration; the seed determines people, attributes and phrasings.
    pub fn new(config: &BiographiesConfig, seed: u64) -> Self {
        let mut facts = Vec::with_capacity(config.people * 6);
        let attributes = values::attributes();
        for (person, name) in names::unique(config.people, seed).into_iter().enumerate() {
            let mut draw = stream(seed, "biographies.attributes", person as u64);
            for (relation, attribute) in attributes.iter().enumerate() {
                facts.push(Fact {
                    relation,
                    subject: name.clone(),
                    value: attribute[draw.random_range(0..attribute.len())].clone(),
                });
            }
        }
        let protocol = FactProtocol {
            seed,
            repeats: config.repeats,
            train_fraction: config.train_fraction,
            question_rate: config.question_rate,
            questions: config.questions,
        };
        Self {
            facts: FactSet::new(
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

    fn documents(&self, epoch: u64) -> Vec<String> {
        self.facts.documents(epoch)
    }

    fn held_out_documents(&self) -> Vec<String> {
        self.facts.held_out_documents()
    }

    fn tasks(&self) -> Vec<Task> {
        self.facts.tasks()
    }

    fn exposures(&self) -> Vec<Exposures> {
        self.facts.exposures()
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
    fn a_person_has_the_documented_number_of_bits() {
        let recall = suite(50, 1).tasks().pop().expect("recall");
        assert_eq!((recall.items.len(), recall.population), (300, 300));
        let bits: f64 = recall.items.iter().filter_map(|item| item.prior_bits).sum();
        assert!((bits / 50.0 - 41.4).abs() < 0.1, "{}", bits / 50.0);
    }

    #[test]
    fn tasks_are_the_attributes_and_recall() {
        let tasks = suite(40, 1).tasks();
        assert_eq!(tasks.len(), 7);
        assert!(
            tasks
                .iter()
                .all(|task| task.baseline.is_some_and(|share| share < 0.4))
        );
    }

    #[test]
    fn the_fingerprint_depends_on_the_seed_and_the_number_of_people() {
        let first = suite(20, 1).fingerprint();
        assert_eq!(first, suite(20, 1).fingerprint());
        assert_ne!(first, suite(20, 2).fingerprint());
        assert_ne!(first, suite(21, 1).fingerprint());
    }
}
