//! The suite `bios`: the biographies of bioS(N) of "Physics of Language Models: Part 3.3" (Allen-Zhu and Li,
//! arXiv 2404.05405), for bits of knowledge per parameter.
//!
//! A person has a name of three parts, a pronoun and six attributes; five of them are drawn uniformly and independently, and the
//! city of work follows from the employer. A biography has six sentences, whose templates and order are drawn anew at every
//! exposure: the first begins with the full name, the others with the pronoun. Pools have the published sizes, so that
//! a person has log2(2 x 12 x 28 x 200 x 200 x 300 x 100 x 263) = 47.6 bits, and a name log2(1.6e8 / people) more; words and
//! templates are our own.
//!
//! Evaluated are one biography of each of some people in trained wording, with the employer before the city of work: the loss of the
//! name after the separator, of the pronoun, and of each value given all that precedes it. With
//! N = people, N0 = 1.6e8 and nats p1 of a name and p2 of pronoun and values, the sum over the tasks of
//! `population x (prior_bits - loss)` is `N log2(N0 / e^p1) + N log2(S0 / e^p2)` (Definition 4.3).

use rand::Rng;
use rand::seq::{SliceRandom, index};
use random::{Stream, stream};

use super::config::BiosConfig;
use super::person::{Attribute, Person};
use super::pools;
use super::sentences::opening;
use crate::task::{Exposures, Item, Metric, Suite, Task, fingerprint_of, majority};

/// Maximum number of held-out documents.
const HELD_OUT: usize = 2048;

/// The suite `bios`.
#[derive(Debug)]
pub struct Bios {
    config: BiosConfig,
    seed: u64,
    people: Vec<Person>,
}

/// A biography that is being read: what precedes a value, and the value.
struct Sentence {
    attribute: Attribute,
    opening: String,
    value: String,
}

impl Bios {
    /// The suite of a valid configuration; the seed determines people, templates and orders.
    pub fn new(config: &BiosConfig, seed: u64) -> Self {
        let mut draw = stream(seed, "bios.names", 0);
        let names = index::sample(&mut draw, pools::NAMES, config.people);
        let people = names.into_iter().enumerate();
        Self {
            config: config.clone(),
            seed,
            people: people
                .map(|(index, name)| Person::new(index, name, seed))
                .collect(),
        }
    }

    /// Sentences with random templates in a random order.
    fn sentences(&self, person: &Person, draw: &mut Stream) -> Vec<Sentence> {
        let mut order = Attribute::ALL;
        order.shuffle(draw);
        self.in_order(person, order, draw)
    }

    fn in_order(&self, person: &Person, order: [Attribute; 6], draw: &mut Stream) -> Vec<Sentence> {
        let mut subject = person.name.as_str();
        let mut sentences = Vec::with_capacity(order.len());
        for attribute in order {
            let template = draw.random_range(0..self.config.templates);
            sentences.push(Sentence {
                attribute,
                opening: opening(attribute, template, subject),
                value: person.value(attribute),
            });
            subject = person.pronoun;
        }
        sentences
    }

    fn text(&self, name: &str, person: usize, epoch: u64) -> String {
        let mut draw = stream(self.seed, &format!("bios.{name}.{person}"), epoch);
        let sentences = self.sentences(&self.people[person], &mut draw);
        let sentences = sentences.iter();
        let sentences =
            sentences.map(|sentence| format!("{} {}.", sentence.opening, sentence.value));
        sentences.collect::<Vec<_>>().join(" ")
    }

    /// At most `most` people, in random order.
    fn sample(&self, name: &str, most: usize) -> Vec<usize> {
        let mut draw = stream(self.seed, &format!("bios.{name}"), 0);
        let count = most.min(self.people.len());
        index::sample(&mut draw, self.people.len(), count).into_vec()
    }

    /// The biography of a person that is evaluated: the employer precedes the city of work, which tells it.
    fn evaluated(&self, person: usize) -> Vec<Sentence> {
        let mut draw = stream(self.seed, &format!("bios.evaluated.{person}"), 0);
        let mut order = Attribute::ALL;
        order.shuffle(&mut draw);
        let place = |wanted| order.iter().position(|&attribute| attribute == wanted);
        if let (Some(employer), Some(city)) =
            (place(Attribute::Employer), place(Attribute::WorkCity))
            && city < employer
        {
            order.swap(employer, city);
        }
        self.in_order(&self.people[person], order, &mut draw)
    }

    fn task(&self, name: &str, metric: Metric, items: Vec<Item>, baseline: Option<f64>) -> Task {
        Task {
            name: name.to_owned(),
            metric,
            items,
            baseline,
            population: self.people.len(),
        }
    }

    fn item(task: &str, name: &str, prompt: &str, expected: String, values: usize) -> Item {
        Item {
            id: format!("{task}/{name}"),
            prompt: prompt.to_owned(),
            expected,
            prior_bits: Some((values as f64).log2()),
            check: None,
        }
    }
}

impl Suite for Bios {
    fn name(&self) -> &'static str {
        "bios"
    }

    fn fingerprint(&self) -> String {
        fingerprint_of(self, &format!("{:?} {}", self.config, self.seed))
    }

    fn documents(&self, epoch: u64) -> Vec<String> {
        (0..self.people.len())
            .map(|person| self.text("trained", person, epoch))
            .collect()
    }

    fn held_out_documents(&self) -> Vec<String> {
        let people = self.sample("held_out", HELD_OUT).into_iter();
        people
            .map(|person| self.text("held_out", person, 0))
            .collect()
    }

    fn tasks(&self) -> Vec<Task> {
        let people = self.sample("evaluated", self.config.evaluated);
        let (mut names, mut pronouns) = (Vec::new(), Vec::new());
        let drawn: Vec<(Attribute, usize)> = Attribute::ALL
            .into_iter()
            .filter_map(|attribute| Some((attribute, attribute.values()?)))
            .collect();
        let mut values: Vec<Vec<Item>> = drawn.iter().map(|_| Vec::new()).collect();
        for person in people {
            let Person { name, pronoun, .. } = &self.people[person];
            names.push(Self::item("name", name, "", name.clone(), pools::NAMES));
            let mut text = String::new();
            for (place, sentence) in self.evaluated(person).iter().enumerate() {
                if place == 1 {
                    pronouns.push(Self::item("pronoun", name, &text, format!(" {pronoun}"), 2));
                }
                if place > 0 {
                    text.push(' ');
                }
                text.push_str(&sentence.opening);
                let expected = format!(" {}", sentence.value);
                let number = drawn
                    .iter()
                    .position(|(attribute, _)| *attribute == sentence.attribute);
                if let Some(number) = number {
                    let (attribute, count) = drawn[number];
                    let item = Self::item(attribute.name(), name, &text, expected.clone(), count);
                    values[number].push(item);
                }
                text.push_str(&expected);
                text.push('.');
            }
        }
        let mut tasks: Vec<Task> = drawn
            .iter()
            .zip(values)
            .map(|((attribute, _), items)| {
                let trained: Vec<String> =
                    self.people.iter().map(|p| p.value(*attribute)).collect();
                let baseline = majority(
                    trained.iter().map(|value| ("", value.as_str())),
                    items.iter().map(|item| ("", item.expected.trim())),
                );
                self.task(attribute.name(), Metric::Completion, items, baseline)
            })
            .collect();
        tasks.push(self.task("name", Metric::Likelihood, names, None));
        tasks.push(self.task("pronoun", Metric::Likelihood, pronouns, None));
        tasks
    }

    fn exposures(&self) -> Vec<Exposures> {
        vec![Exposures {
            split: "train",
            form: "statement",
            facts: self.people.len() * Attribute::ALL.len(),
            per_epoch: 1.0,
            equal: true,
        }]
    }

    fn is_recall(&self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn suite(people: usize) -> Bios {
        let config = BiosConfig {
            people,
            evaluated: 40,
            ..BiosConfig::default()
        };
        Bios::new(&config, 3)
    }

    #[test]
    fn a_person_has_the_bits_of_the_paper() {
        let tasks = suite(50).tasks();
        let bits: f64 = tasks
            .iter()
            .filter_map(|task| task.items[0].prior_bits)
            .sum();
        let name = (pools::NAMES as f64).log2();
        assert!((bits - name - 47.59).abs() < 0.01, "{}", bits - name);
        assert!(
            tasks
                .iter()
                .all(|task| (task.items.len(), task.population) == (40, 50))
        );
    }

    #[test]
    fn biographies_have_six_sentences_that_begin_with_the_name_then_the_pronoun() {
        let suite = suite(30);
        for (person, text) in suite.people.iter().zip(suite.documents(4)) {
            let sentences: Vec<&str> = text.split_terminator('.').collect();
            assert_eq!(sentences.len(), 6, "{text}");
            assert!(sentences[0].starts_with(&person.name), "{text}");
            let pronoun = format!(" {}", person.pronoun);
            assert!(
                sentences[1..]
                    .iter()
                    .all(|sentence| sentence.starts_with(&pronoun))
            );
            for attribute in Attribute::ALL {
                assert!(text.contains(&format!(" {}.", person.value(attribute))));
            }
        }
    }

    #[test]
    fn templates_and_orders_are_drawn_anew_and_held_out_texts_are_not_trained() {
        let suite = suite(20);
        let trained: HashSet<String> = (0..50).flat_map(|epoch| suite.documents(epoch)).collect();
        assert_eq!(trained.len(), 1000);
        assert!(
            suite
                .held_out_documents()
                .iter()
                .all(|text| !trained.contains(text))
        );
    }

    #[test]
    fn no_prompt_tells_the_employer_by_the_city_of_work() {
        let suite = suite(40);
        let tasks = suite.tasks();
        let employer = tasks
            .iter()
            .find(|task| task.name == "employer")
            .expect("task");
        for item in &employer.items {
            let name = item.id.split_once('/').expect("name").1;
            let person = suite.people.iter().find(|person| person.name == name);
            let person = person.expect("person");
            // The city of birth may be the same one.
            let city = person.value(Attribute::WorkCity);
            let told = item.prompt.matches(&city).count();
            assert!(told <= usize::from(person.value(Attribute::BirthCity) == city));
        }
    }
}
