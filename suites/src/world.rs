//! Real facts, carried by data crates and so present without any download.
//!
//! Places come from GeoNames (crate `reverse_geocoder`), countries from ISO 3166 and the CLDR (`keshvar`), currencies
//! from ISO 4217 (`iso_currency`), elements from `mendeleev`. About a hundred thousand facts in twelve relations; a
//! configuration takes a subset that is even over the relations. Names with two values are left out.

mod balance;
mod countries;
mod currencies;
mod elements;
mod places;
mod relations;

use crate::config::WorldConfig;
use crate::facts::{Fact, FactBook, Protocol};
use crate::task::{Suite, Task, fingerprint_of};

/// Number of relations.
pub(crate) const RELATIONS: usize = 12;

/// Subjects and values of one relation, before the subset is taken.
pub(crate) type Pairs = Vec<(String, String)>;

/// The suite `world`.
#[derive(Debug)]
pub struct World {
    book: FactBook,
    settings: String,
}

impl World {
    /// Which facts are taken, and their phrasings, follow from the seed.
    pub fn new(config: &WorldConfig, seed: u64) -> Self {
        let protocol = Protocol {
            seed,
            repeats: config.repeats,
            train_fraction: config.train_fraction,
            question_rate: config.question_rate,
            questions: config.questions,
        };
        let facts = balance::balanced(known(), config.facts, seed);
        Self {
            book: FactBook::new("world", relations::relations(), facts, protocol),
            settings: format!("{config:?} {seed}"),
        }
    }
}

/// Everything the crates tell, by relation, in the order of `relations`.
fn known() -> [Pairs; RELATIONS] {
    let (country, region) = places::country_and_region();
    let [subregion, currency, nationality, dialling, plate] = countries::facts();
    let [symbol, number, group, discovery] = elements::facts();
    let money = currencies::names_by_code();
    [
        country,
        region,
        subregion,
        currency,
        nationality,
        dialling,
        plate,
        money,
        symbol,
        number,
        group,
        discovery,
    ]
    .map(balance::unambiguous)
}

impl Suite for World {
    fn name(&self) -> &'static str {
        "world"
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

/// Facts of one relation as `Fact`s.
fn facts_of(relation: usize, pairs: impl IntoIterator<Item = (String, String)>) -> Vec<Fact> {
    pairs
        .into_iter()
        .map(|(subject, value)| Fact {
            relation,
            subject,
            value,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_crates_carry_tens_of_thousands_of_facts_in_every_relation_some() {
        let sizes = known().map(|pairs| pairs.len());
        assert!(sizes.iter().sum::<usize>() > 80_000, "{sizes:?}");
        assert!(sizes.iter().all(|&size| size >= 90), "{sizes:?}");
    }

    #[test]
    fn facts_that_anybody_can_check() {
        let known = known();
        let names: Vec<&str> = relations::relations()
            .iter()
            .map(|relation| relation.name)
            .collect();
        for (relation, subject, value) in [
            ("country", "Trondheim", "Norway"),
            ("region", "Anchorage", "Alaska"),
            ("subregion", "Norway", "Northern Europe"),
            ("currency", "South Korea", "KRW"),
            ("nationality", "Norway", "Norwegian"),
            ("dialling_code", "Norway", "47"),
            ("plate", "Norway", "N"),
            ("currency_name", "JPY", "Japanese yen"),
            ("symbol", "Tungsten", "W"),
            ("atomic_number", "Iron", "26"),
            ("group", "Neon", "18"),
            ("discovery", "Radium", "France"),
        ] {
            let index = names
                .iter()
                .position(|name| *name == relation)
                .expect(relation);
            let found = known[index].iter().find(|(known, _)| known == subject);
            assert_eq!(
                found.map(|(_, value)| value.as_str()),
                Some(value),
                "{relation} of {subject}"
            );
        }
    }

    #[test]
    fn the_subset_has_the_size_asked_for_and_every_relation() {
        let suite = World::new(&WorldConfig::default(), 1);
        let tasks = suite.tasks();
        assert_eq!(tasks.len(), RELATIONS + 1);
        assert_eq!(tasks.last().expect("recall").population, 400);
        assert_eq!(
            suite.documents(0),
            World::new(&WorldConfig::default(), 1).documents(0)
        );
    }
}
